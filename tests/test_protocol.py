"""The protocol: the shipped rules are whole and sourced, a clinic's own file changes what it names and no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulcermeter.errors import ProtocolError
from ulcermeter.protocol import read_protocol


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
    assert manus["threshold_diameter_mm"] == 2.0


def test_visit_windows_do_not_overlap() -> None:
    planned = [v for v in read_protocol("manus").visits if v.day is not None]
    for earlier, later in zip(planned, planned[1:], strict=False):
        assert earlier.day + earlier.window_days < later.day - later.window_days


def test_every_rule_has_a_source_or_says_that_it_is_ours() -> None:
    manus = read_protocol("manus")
    for parameter in manus.parameters.values():
        assert bool(parameter.source) != parameter.assumption, parameter.name
        assert parameter.unit, parameter.name
    assert all(p.reason for p in manus.assumptions())


def test_an_own_protocol_changes_one_value_and_its_hash(tmp_path: Path) -> None:
    path = own(tmp_path, 'extends = "manus"\nname = "ours"\n[parameters]\ntilt_max_deg = 20.0\n')
    manus, ours = read_protocol("manus"), read_protocol(path)
    changed = [name for name in manus.parameters if manus[name] != ours[name]]
    assert changed == ["tilt_max_deg"] and ours.parameters["tilt_max_deg"].assumption
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
    assert len(error.value.faults) == 2
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


def test_no_such_protocol() -> None:
    with pytest.raises(ProtocolError, match="expected a shipped name"):
        read_protocol("nowhere")


def test_a_file_that_forgot_what_it_extends_is_told_so_once(tmp_path: Path) -> None:
    with pytest.raises(ProtocolError) as caught:
        read_protocol(own(tmp_path, 'base = "manus"\n[parameters]\ntilt_max_deg = { value = 20.0, source = "us" }\n'))
    assert len(caught.value.faults) == 3
    assert "say extends" in str(caught.value) and "key base: expected one of extends, name" in str(caught.value)
