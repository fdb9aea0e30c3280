"""The protocol: the shipped rules are whole and sourced, a clinic's own file changes what it names and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulcermeter.errors import ProtocolError, Refusal
from ulcermeter.protocol import read_protocol
from ulcermeter.reference import parse_reference


def own(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "protocol.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_manus_has_the_trials_visits_and_criteria() -> None:
    manus = read_protocol("manus")
    assert {v.name: v.day for v in manus.visits if v.day is not None} == {
        **{"baseline": 0, "48h": 2, "week 2": 14, "week 4": 28, "week 8": 56},
        **{"week 12": 84, "week 24": 168, "week 52": 364},
    }
    assert [c.id for c in manus.criteria] == [
        *("ssc_acr_eular_2013", "active_ulcer", "refractory_prostacyclin", "informed_consent", "calcinosis"),
        *("neoplasm_10y", "pregnancy_contraception", "life_expectancy_1y", "uncontrolled_hypertension"),
        *("uncontrolled_infection", "follow_up_impossible", "age_18", "age_65_74"),
    ]
    assert manus.measurement.threshold_diameter_mm == 2.0


def test_visit_windows_do_not_overlap() -> None:
    planned = [v for v in read_protocol("manus").visits if v.day is not None]
    for earlier, later in zip(planned, planned[1:], strict=False):
        assert earlier.day + earlier.window_days < later.day - later.window_days


def test_every_rule_has_a_source_or_says_that_it_is_ours() -> None:
    manus = read_protocol("manus")
    for parameter in manus.parameters:
        assert bool(parameter.source) != parameter.assumption, parameter.name
        assert parameter.unit, parameter.name
    assert all(p.reason for p in manus.assumptions())


def test_an_own_protocol_changes_one_value_and_its_hash(tmp_path: Path) -> None:
    path = own(tmp_path, 'extends = "manus"\nname = "ours"\n[parameters]\ntilt_max_deg = 20.0\n')
    manus, ours = read_protocol("manus"), read_protocol(path)
    changed = [name for name, value in manus.values.items() if value != ours.values[name]]
    assert changed == ["tilt_max_deg"] and ours.origins["tilt_max_deg"].assumption
    assert ours.name == "ours" and ours.sha256 != manus.sha256
    assert ours.visits == manus.visits


def test_the_same_rules_have_the_same_hash(tmp_path: Path) -> None:
    assert read_protocol("manus").sha256 == read_protocol("manus").sha256
    same = own(tmp_path, 'extends = "manus"\n[parameters]\n')
    assert read_protocol(same).sha256 == read_protocol("manus").sha256


def test_an_advisory_criterion_can_be_enforced(tmp_path: Path) -> None:
    path = own(tmp_path, 'extends = "manus"\n[[criteria]]\nid = "age_65_74"\nenforce = true\n')
    assert {c.id: c.enforce for c in read_protocol(path).criteria}["age_65_74"] is True


def test_all_faults_of_a_protocol_are_told_at_once(tmp_path: Path) -> None:
    path = own(
        tmp_path,
        'extends = "manus"\n[parameters]\ntilt_max = 20.0\n'
        '[[criteria]]\nid = "blood_type"\nkind = "inclusion"\ntext = "x"\n',
    )
    with pytest.raises(ProtocolError) as error:
        read_protocol(path)
    assert len(error.value.problems) == 2
    assert "tilt_max" in str(error.value) and "blood_type" in str(error.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name = [", "expected TOML"),
        ('name = "x"\n', "missing"),
        ('extends = "manus"\n[[visits]]\nname = "a"\n[[visits]]\nname = "a"\n', "stands twice"),
        ('extends = "manus"\n[parameters.tilt_max_deg]\nvalue = 3\nunits = "deg"\n', "expected only the keys"),
    ],
)
def test_a_broken_protocol_is_refused_in_a_sentence(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ProtocolError, match=told):
        read_protocol(own(tmp_path, text))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "threshold_diameter_mm = -3",
            "threshold_diameter_mm: expected a finite number above 0 and at most 100, got -3",
        ),
        ("threshold_diameter_mm = nan", "expected a finite number above 0 and at most 100, got nan"),
        ("threshold_diameter_mm = 1e400", "expected a finite number above 0 and at most 100, got inf"),
        ('threshold_diameter_mm = "3"', "expected a finite number above 0 and at most 100, got '3'"),
        ("threshold_diameter_mm = true", "expected a finite number above 0 and at most 100, got True"),
        ("tilt_max_deg = nan", "tilt_max_deg: expected a finite number"),
        ("px_per_mm_min = nan", "px_per_mm_min: expected a finite number"),
        ("scale_se_max_pct = nan", "scale_se_max_pct: expected a finite number"),
        ("worsening_months = 0.5", "worsening_months: expected a whole number above 0 and at most 120, got 0.5"),
        ("taken_date_max_days = -1", "taken_date_max_days: expected a whole number of 0 or more"),
        ("censor_at_rescue = 1", "censor_at_rescue: expected true or false, got 1"),
        ('gates = "reprot"', "gates: expected refuse or report, got 'reprot'"),
        ('reference_on = "floor"', "reference_on: expected skin or table, got 'floor'"),
        ('reference = "banana"', "reference: expected card, aruco:MM, .*got 'banana'"),
        ('reference = "aruco:0"', "reference: expected card, aruco:MM"),
        ('references_auto = ["card", "auto"]', "references_auto: expected a list of texts, each card"),
        ("prostacyclins = []", "prostacyclins: expected a list of texts"),
        ('active_photo_phases = ["screning"]', "each history, screening"),
        ('primary_visit = "week 13"', "primary_visit: expected one of the visits that have a day"),
        ("acr_eular_points.value = { raynaud = { yes = -3 } }", "at raynaud at yes a whole number"),
        ("acr_eular_points.value = { reynaud = { yes = 3 } }", "expected only the keys skin_thickening"),
        ('tilt_max_deg = { value = 3, assumption = "no", reason = "ours" }', "assumption: expected true or false"),
        ('tilt_max_deg = { name = "x", value = 3 }', "expected only the keys value"),
    ],
)
def test_a_value_is_of_the_shipped_ones_kind(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ProtocolError, match=told) as caught:
        read_protocol(own(tmp_path, f'extends = "manus"\n[parameters]\n{text}\n'))
    assert len(caught.value.problems) == 1


def test_values_that_a_clinic_may_set(tmp_path: Path) -> None:
    rules = (
        'threshold_diameter_mm = 3\ntaken_date_max_days = 0\nmonte_carlo_draws = 4000.0\nreference = "DISC:10"\n'
        'references_auto = ["ruler", "aruco:8.5:4X4_50"]\nacr_eular_points.value = { raynaud = { yes = 3 } }\n'
    )
    ours = read_protocol(own(tmp_path, f'extends = "manus"\n[parameters]\n{rules}'))
    assert ours.measurement.threshold_diameter_mm == 3
    assert ours.calibration.references_auto == ("ruler", "aruco:8.5:4X4_50")


@pytest.mark.parametrize(
    "text",
    [
        *("card", "ID1", "ruler", "auto", "aruco:10", "aruco:8.5:DICT_4X4_50", "aruco:10:4x4_50", " disc : 10 "),
        *(
            "scale:12.5",
            "disc:.5",
            "disc:501",
            "disc",
            "aruco:x",
            "aruco:nan",
            "card:3",
            "scale:0",
            "scale:1001",
            "",
            "x",
        ),
    ],
)
def test_a_reference_is_taken_as_photos_csv_takes_it(tmp_path: Path, text: str) -> None:
    path = own(tmp_path, f'extends = "manus"\n[parameters]\nreference = "{text}"\n')
    try:
        parse_reference(text)
    except Refusal:
        with pytest.raises(ProtocolError, match="reference: expected"):
            read_protocol(path)
    else:
        assert read_protocol(path).calibration.reference == text


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[criteria]]\nid = "age_65_74"\nenforce = "no"', "criterion age_65_74, enforce: expected true or false"),
        ('[[criteria]]\nid = "age_65_74"\nkind = "foo"', "criterion age_65_74, kind: expected inclusion, exclusion"),
        ('[[criteria]]\nid = "age_65_74"\n[[criteria]]\nid = "age_65_74"', "criteria age_65_74: stands twice"),
        ('[[criteria]]\nid = ["a"]', "expected tables .*criteria.*, each with id as text"),
        ('[[visits]]\nname = "week 12"\nday = 84.5', "visit week 12, day: expected a whole number, got 84.5"),
        ('[[visits]]\nname = "week 12"\nday = true', "visit week 12, day: expected a whole number"),
        (
            '[[visits]]\nname = "week 12"\nday = 84\nwindow_days = -1',
            "window_days: expected a whole number of 0 or more",
        ),
        ('[[visits]]\nname = "week 12"\nday = 84\nphase = "after"', "phase: expected history, screening"),
        ("[[visits]]\nday = 84", "visits: expected tables .*visits.*, each with name as text"),
        ('visits = ["a"]', "visits: expected tables"),
        ("visits = 3", "visits: expected tables"),
        ("parameters = 3", "parameters: expected a table"),
        ("criteria = 3", "criteria: expected tables"),
        ("name = 3", "name: expected a text"),
    ],
)
def test_visits_and_criteria_of_another_shape_are_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ProtocolError, match=told):
        read_protocol(own(tmp_path, f'extends = "manus"\n{text}\n'))


def test_extends_that_is_no_text_is_told_and_the_rest_is_still_checked(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_protocol(own(tmp_path, 'extends = 3\n[parameters]\ngates = "reprot"\n'))
    assert [("extends: expected" in fault, "gates" in fault) for fault in map(str, caught.value.problems)] == [
        (True, False),
        (False, True),
    ]


def test_a_file_extends_a_file_beside_it_which_extends_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sites").mkdir()
    (tmp_path / "trial.toml").write_text(
        'extends = "manus"\nname = "trial"\n[parameters]\nthreshold_diameter_mm = 3.0\ntilt_max_deg = 20.0\n'
    )
    (tmp_path / "sites" / "a.toml").write_text('extends = "../trial.toml"\n[parameters]\ntilt_max_deg = 10.0\n')
    monkeypatch.chdir("/")
    site = read_protocol(tmp_path / "sites" / "a.toml")
    assert (site.measurement.threshold_diameter_mm, site.gates.tilt_max_deg, site.gates.px_per_mm_min) == (
        3.0,
        10.0,
        8.0,
    )
    assert site.name == "trial, changed in a.toml"


def test_files_that_extend_each_other_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text('extends = "b.toml"\n')
    (tmp_path / "b.toml").write_text('extends = "a.toml"\n')
    with pytest.raises(ProtocolError, match="expected extends to lead to a protocol that extends none"):
        read_protocol(tmp_path / "a.toml")


def test_changed_rules_do_not_go_by_the_trials_name(tmp_path: Path) -> None:
    unnamed = read_protocol(own(tmp_path, 'extends = "manus"\n[parameters]\ntilt_max_deg = 20.0\n'))
    assert unnamed.name == "manus, changed in protocol.toml"
    assert read_protocol(own(tmp_path, 'extends = "manus"\n')).name == "manus"


def test_no_such_protocol() -> None:
    with pytest.raises(ProtocolError, match="expected a shipped name"):
        read_protocol("nowhere")


def test_a_file_that_forgot_what_it_extends_is_told_so_once(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_protocol(own(tmp_path, 'base = "manus"\n[parameters]\ntilt_max_deg = { value = 20.0, source = "us" }\n'))
    assert len(caught.value.problems) == 3
    assert "say extends" in str(caught.value) and "key base: expected one of extends, name" in str(caught.value)


def test_values_changed_in_python_are_checked_and_marked() -> None:
    manus = read_protocol("manus")
    ours = manus.changed(threshold_diameter_mm=3.0, gates="report")
    assert (ours.measurement.threshold_diameter_mm, ours.gates.on_failure, ours.name) == (
        3.0,
        "report",
        "manus, changed",
    )
    assert ours.sha256 != manus.sha256 and ours.origins["gates"].assumption
    with pytest.raises(ProtocolError) as caught:
        manus.changed(tilt_max_deg=float("nan"), tilt_max=3, exposure_min=1.5)
    assert len(caught.value.problems) == 3


def test_every_rule_has_a_unit_and_stands_in_one_group_alone() -> None:
    from ulcermeter.protocol.model import GROUPS

    names = [rule.alias or name for group in GROUPS.values() for name, rule in group.model_fields.items()]
    assert len(names) == len(set(names)) == len(read_protocol("manus").values)
    assert all(parameter.unit for parameter in read_protocol("manus").parameters)


def test_a_unit_that_is_written_beside_a_value_is_held_to_the_rules_own(tmp_path: Path) -> None:
    table = '[parameters.tilt_max_deg]\nvalue = 20.0\nunit = "{}"\nsource = "us"\n'
    assert read_protocol(own(tmp_path, 'extends = "manus"\n' + table.format("deg"))).gates.tilt_max_deg == 20
    with pytest.raises(ProtocolError, match="tilt_max_deg: expected the unit 'deg', got 'rad'"):
        read_protocol(own(tmp_path, 'extends = "manus"\n' + table.format("rad")))
