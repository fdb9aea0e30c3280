"""Criteria that a protocol words itself, and the three protocols that ship beside MANUS: each case worked by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from eligibility_cases import ASSESSMENT, PERSON, PROTOCOL, photo_row, row_of, story, tracked_row, usual, verdict

import ulcermeter as um
from ulcermeter.datatypes import Eligibility
from ulcermeter.eligibility import assess_eligibility
from ulcermeter.errors import ProtocolError
from ulcermeter.protocol import Criterion, Protocol, Rule, protocol_from_record, read_protocol
from ulcermeter.study import check_study
from ulcermeter.tables import from_rows

NAN = float("nan")
NAMES = ("rescue", "aduse", "generic")
SHIPPED = {name: read_protocol(name) for name in NAMES}


def judged(
    protocol: Protocol, ulcer: dict[str, Any], person: dict[str, Any] | None = None, **shown: Any
) -> Eligibility:
    """The subject who passes everything, under another protocol, with the cells that it adds to its ulcer's row."""
    study, tracked, course = story(
        protocol=protocol, subjects=[PERSON | (person or {})], tracked=[tracked_row(**shown)], photos=[photo_row()]
    )
    added = {
        c.name: ulcer.get(c.name, NAN if c.kind == "number" else "") for c in protocol.columns if c.table == "ulcers"
    }
    own = {name: cell for name, cell in ulcer.items() if name not in added}
    rows = usual("ulcers").assign(**added, **own)
    return assess_eligibility(replace(study, ulcers=rows), tracked, course)


def with_rule(rule: Rule) -> Protocol:
    criterion = Criterion(id="own", kind="inclusion", text="Own", rule=rule)
    return replace(PROTOCOL, criteria=(*PROTOCOL.criteria, criterion))


def own(rule: Rule, **shown: Any) -> str:
    return str(row_of(judged(with_rule(rule), {}, **shown), "own")["result"])


# --- kinds of rules --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "limits", "result"),
    [
        (2.0, 2.6, {"at_least": 2.0}, "met"),  # the limit counts
        (2.0, 2.6, {"over": 2.0}, "not assessable"),  # it does not, and the interval begins there
        (2.01, 2.6, {"over": 2.0}, "met"),
        (1.4, 2.0, {"over": 2.0}, "not met"),
        (1.4, 2.0, {"at_least": 2.0}, "not assessable"),
        (1.4, 1.99, {"at_least": 2.0}, "not met"),
        (2.5, 3.0, {"at_least": 2.0, "at_most": 10.0}, "met"),
        (9.0, 11.0, {"at_least": 2.0, "at_most": 10.0}, "not assessable"),
        (10.1, 11.0, {"at_least": 2.0, "at_most": 10.0}, "not met"),
        (9.0, 9.9, {"under": 10.0}, "met"),
        (10.0, 11.0, {"under": 10.0}, "not met"),
    ],
)
def test_a_photos_interval_beside_limits(low: float, high: float, limits: dict[str, float], result: str) -> None:
    rule = Rule(kind="photo", of="ulcer", **limits)
    assert own(rule, diameter_mm=(low + high) / 2, diameter_low_mm=low, diameter_high_mm=high) == result


PIP: dict[str, Any] = {"kind": "place", "of": "ulcer", "within_mm": 35.0, "beyond_mm": 65.0}
PIP |= {"sites": ("tip", "PIP"), "other_sites": ("MCP",)}


@pytest.mark.parametrize(
    ("s", "sd", "site", "result"),
    [
        (10.0, 2.0, "", "met"),
        (34.0, 2.0, "", "not assessable"),  # up to 38 mm from the tip
        (50.0, 1.0, "", "not assessable"),  # where the joint itself may be
        (70.0, 2.0, "", "not met"),  # from 66 mm on
        (NAN, NAN, "tip", "met"),  # the clinic's word
        (NAN, NAN, "MCP", "not met"),
        (NAN, NAN, "beside the ring", "not assessable"),  # a word that the protocol does not know
        (NAN, NAN, "", "not assessable"),
        (50.0, 1.0, "PIP", "met"),  # where the photo cannot tell the site may
        (10.0, 2.0, "MCP", "not assessable"),  # the two contradict each other
    ],
)
def test_where_on_the_finger(s: float, sd: float, site: str, result: str) -> None:
    assert own(Rule(**PIP), finger_s_mm=s, finger_s_sd_mm=sd, site=site) == result


@pytest.mark.parametrize(
    ("birth", "age", "result"),
    [
        ("1998-05-10", NAN, "met"),  # 18 on the day of inclusion
        ("1998-05-11", NAN, "not met"),
        ("1940-05-11", NAN, "met"),  # still 75
        ("1940-05-10", NAN, "not met"),  # 76
        ("1940", NAN, "not assessable"),
        ("", 75.9, "met"),  # completed years
        ("", 76.0, "not met"),
        ("", NAN, "not assessable"),
    ],
)
def test_completed_years(birth: str, age: float, result: str) -> None:
    done = judged(SHIPPED["generic"], {}, {"birth_date": birth, "age": age})
    assert row_of(done, "age_18_75")["result"] == result


@pytest.mark.parametrize(
    ("day", "result"),
    [
        ("2016-03-08", "met"),  # 56 days before screening on 2016-05-03
        ("2016-03-07", "not met"),
        ("2016-05-03", "met"),
        ("2016-05-04", "not met"),  # after screening
        ("2016-03", "not assessable"),
        ("2016-04", "met"),
        ("", "not assessable"),
    ],
)
def test_days_before_screening(day: str, result: str) -> None:
    row = row_of(judged(SHIPPED["rescue"], {"developed_or_worsened_on": day}), "recent")
    assert row["result"] == result and ("developed_or_worsened_on" in row["would_settle"]) == (
        result == "not assessable"
    )


@pytest.mark.parametrize(
    ("activity", "ischaemic", "painful", "result"),
    [
        ("active", "yes", "no", "met"),
        ("active", "no", "yes", "not met"),  # not ischaemic, and not indeterminate
        ("active", "", "yes", "not assessable"),
        ("indeterminate", "no", "yes", "met"),  # the paper's painful indeterminate one
        ("indeterminate", "yes", "no", "not met"),
        ("indeterminate", "", "", "not assessable"),
        ("healed", "yes", "yes", "not met"),
        ("", "yes", "yes", "not assessable"),  # active or indeterminate would do, healed would not
        ("", "no", "no", "not met"),  # whichever it was
    ],
)
def test_active_and_ischaemic_or_painful_and_indeterminate(
    activity: str, ischaemic: str, painful: str, result: str
) -> None:
    cells = {"activity": activity, "ischaemic": ischaemic, "painful": painful}
    assert row_of(judged(SHIPPED["rescue"], cells), "visible_ulcer")["result"] == result


# --- whole subjects under the shipped protocols ----------------------------------------------------------------------

NEAR = {"finger_s_mm": 8.0, "finger_s_sd_mm": 1.0}
RESCUE = {"activity": "active", "ischaemic": "yes", "developed_or_worsened_on": "2016-04-10"}
ADUSE = {"active": "yes", "ischaemic": "yes", "over_bone_relief": "no", "refractory_standard_care": "yes"}
ADUSE |= {"standard_care_since": "2016-02-20"}


@pytest.mark.parametrize(
    ("name", "cells", "change", "wanted"),
    [
        ("rescue", RESCUE, {}, "eligible"),
        ("rescue", RESCUE, {"activity": ""}, "undetermined"),
        ("rescue", RESCUE, {"activity": "healed"}, "not eligible"),
        ("rescue", RESCUE, {"developed_or_worsened_on": "2015-12-01"}, "not eligible"),
        ("aduse", ADUSE, {}, "eligible"),
        ("aduse", ADUSE, {"over_bone_relief": "yes"}, "not eligible"),
        ("aduse", ADUSE, {"over_bone_relief": ""}, "undetermined"),
        ("aduse", ADUSE, {"standard_care_since": "2016-04-01"}, "not eligible"),  # 39 days
        ("aduse", ADUSE, {"calcinosis_on_xray": "yes"}, "not eligible"),
        ("generic", {}, {}, "eligible"),
        ("generic", {}, {"loss_of_dermis": "no"}, "not eligible"),
        ("generic", {}, {"painful": "no"}, "eligible"),  # reported only
    ],
)
def test_whole_subjects(name: str, cells: dict[str, str], change: dict[str, str], wanted: str) -> None:
    done = judged(SHIPPED[name], cells | change, **NEAR)
    assert verdict(done) == wanted
    if wanted == "eligible":
        assert done.eligibility_summary["qualifying_ulcer"].item() == "S01-left-index-1"
    if wanted == "undetermined":
        assert next(iter(change)) in " ".join(done.eligibility["would_settle"])


SMALL = {"diameter_mm": 1.5, "diameter_low_mm": 1.3, "diameter_high_mm": 1.7, "over_threshold": "no"}
FAR = {"finger_s_mm": 80.0, "finger_s_sd_mm": 1.0}


def judged_with_two(name: str, shown: list[dict[str, Any]], cells: list[dict[str, str]]) -> Eligibility:
    """Two ulcers, no. 1 on the index and no. 2 on the middle finger, each with its photo and its look."""
    places = [{"finger": "index"}, {"finger": "middle", "photo": "m.jpg"}]
    ids = ["S01-left-index-1", "S01-left-middle-1"]
    study, tracked, course = story(
        SHIPPED[name],
        tracked=[tracked_row(ulcer_id=ids[i], **places[i], **shown[i]) for i in (0, 1)],
        photos=[photo_row(**place, ulcer_no=str(i)) for i, place in enumerate(places, start=1)],
    )
    looks = [ASSESSMENT | {"finger": place["finger"], "ulcer_no": str(i)} for i, place in enumerate(places, start=1)]
    added = {c.name: [own.get(c.name, "") for own in cells] for c in SHIPPED[name].columns if c.table == "ulcers"}
    return assess_eligibility(replace(study, ulcers=from_rows("study/ulcers", looks).assign(**added)), tracked, course)


@pytest.mark.parametrize(
    ("name", "shown", "cells", "wanted"),
    [
        ("generic", [FAR, SMALL | NEAR], [{}, {}], "not eligible"),  # large over the knuckle, small at the tip
        ("generic", [FAR, NEAR], [{}, {}], "eligible"),
        (
            "aduse",
            [NEAR, NEAR],
            [ADUSE | {"ischaemic": "no"}, ADUSE | {"refractory_standard_care": "no"}],
            "not eligible",
        ),
        ("rescue", [FAR, NEAR], [RESCUE, RESCUE | {"developed_or_worsened_on": "2015-01-01"}], "not eligible"),
        ("rescue", [NEAR, NEAR], [RESCUE | {"activity": ""}, RESCUE | {"activity": "healed"}], "undetermined"),
    ],
)
def test_two_halves_of_two_ulcers_make_no_eligible_subject(
    name: str, shown: list[dict[str, Any]], cells: list[dict[str, str]], wanted: str
) -> None:
    assert verdict(judged_with_two(name, shown, cells)) == wanted


@pytest.mark.parametrize(
    ("name", "change", "wanted"),
    [
        ("rescue", {"developed_or_worsened_on": "2016-05-03"}, "eligible"),  # the day of screening
        ("rescue", {"developed_or_worsened_on": "2016-03-08"}, "eligible"),  # 56 days before it
        ("rescue", {"developed_or_worsened_on": "2016-03-07"}, "not eligible"),
        ("rescue", {"developed_or_worsened_on": "2016-03"}, "undetermined"),
        ("rescue", {"developed_or_worsened_on": "2016-05-04"}, "not eligible"),  # after it
        ("aduse", {"standard_care_since": "2016-03-15"}, "eligible"),  # 56 days of care at inclusion
        ("aduse", {"standard_care_since": "2016-03-16"}, "not eligible"),
        ("aduse", {"calcinosis_on_xray": "", "xray_date": ""}, "undetermined"),
    ],
)
def test_days_at_their_limits(name: str, change: dict[str, str], wanted: str) -> None:
    cells = {"rescue": RESCUE, "aduse": ADUSE}[name] | change
    assert verdict(judged(SHIPPED[name], cells, **NEAR)) == wanted


@pytest.mark.parametrize(("event", "wanted"), [("amputation", "not eligible"), ("withdrawal", "undetermined")])
@pytest.mark.parametrize(("name", "cells"), [("rescue", RESCUE), ("aduse", ADUSE), ("generic", {})])
def test_events_before_inclusion_count_in_every_trial(
    name: str, cells: dict[str, str], event: str, wanted: str
) -> None:
    row = {"subject_id": "S01", "event": event, "date": "2016-05-05"}
    row |= {"hand": "left", "finger": "index"} if event == "amputation" else {}
    study, tracked, course = story(SHIPPED[name], tracked=[tracked_row(**NEAR)], events=[row])
    added = {c.name: cells.get(c.name, "") for c in SHIPPED[name].columns if c.table == "ulcers"}
    done = assess_eligibility(replace(study, ulcers=usual("ulcers").assign(**added)), tracked, course)
    assert verdict(done) == wanted


def test_an_ulcer_of_2_mm_itself_is_enough_for_the_generic_trial_and_not_for_manus() -> None:
    exact = {"diameter_mm": 2.2, "diameter_low_mm": 2.0, "diameter_high_mm": 2.4, "over_threshold": "uncertain"} | NEAR
    assert verdict(judged(SHIPPED["generic"], {}, **exact)) == "eligible"
    row = row_of(judged(PROTOCOL, {"diameter_mm_bedside": NAN}, **exact), "active_ulcer")
    assert row["result"] == "not assessable"


# --- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_shipped_protocols_are_whole_sourced_and_come_back_from_a_record(name: str) -> None:
    protocol = SHIPPED[name]
    assert all(criterion.source or criterion.reason for criterion in protocol.criteria)
    assert all(column.meaning for column in protocol.columns) and protocol.title
    assert protocol_from_record(protocol.record()) == protocol
    planned = [v for v in protocol.visits if v.day is not None]
    for earlier, later in zip(planned, planned[1:], strict=False):
        assert (earlier.day or 0) + (earlier.window_days or 0) < (later.day or 0) - (later.window_days or 0)


OWN = '[[criteria]]\nid = "x"\nkind = "inclusion"\ntext = "x"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN, "one that ulcermeter can answer"),
        (
            OWN + 'rule = { kind = "yes_no", column = "no" }\n',
            "a column of",
        ),
        (OWN + 'rule = { kind = "age" }\n', "at_least, over"),
        (
            OWN + 'rule = { kind = "photo", over = 2 }\n',
            'of = "ulcer"',
        ),
        (OWN + 'rule = { kind = "often" }\n', "yes_no, choice"),
        (OWN + 'rule = { kind = "yes_no", of = "treatment", column = "painful" }\n', "a column of treatments.csv"),
        (OWN + 'rule = { kind = "age", of = "treatment", at_least = 18 }\n', "of courses one of"),
        (OWN + 'rule = { kind = "given", of = "treatment", at_least = 28 }\n', "and at_most"),
        (
            OWN
            + 'rule = { kind = "place", of = "ulcer", within_mm = 3, beyond_mm = 5, by_finger = { thumb = [9, 2] } }\n',
            "not below it",
        ),
        (OWN + 'rule = { kind = "age", at_least = 18, drugs = ["iloprost"] }\n', "beside drugs"),
        (
            OWN + 'rule = { kind = "any_of", criteria = ["y"] }\n',
            "stand before it",
        ),
        ('[[columns]]\ntable = "ulcers"\nname = "painful"\nkind = "yes/no"\nmeaning = "x"\n', "not yet"),
        ('[[columns]]\ntable = "ulcers"\nname = "w"\nkind = "choice"\nmeaning = "x"\n', "values for a choice"),
        ('[[columns]]\ntable = "visits"\nname = "w"\nkind = "text"\nmeaning = "x"\n', "subjects, ulcers or treatments"),
    ],
)
def test_a_rule_that_cannot_be_asked_is_a_fault(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "protocol.toml"
    path.write_text('extends = "manus"\n' + text)
    with pytest.raises(ProtocolError, match=says):
        um.read_protocol(path)


def test_a_criterion_can_be_dropped(tmp_path: Path) -> None:
    path = tmp_path / "protocol.toml"
    path.write_text('extends = "manus"\ndrop = ["calcinosis", "neoplasm_10y"]\n')
    ids = [criterion.id for criterion in um.read_protocol(path).criteria]
    assert len(ids) == len(PROTOCOL.criteria) - 2 and "calcinosis" not in ids


def test_added_columns_are_read_and_checked(tmp_path: Path) -> None:
    (tmp_path / "photos.csv").write_text(
        "photo,subject_id,visit,date,hand,finger\na.jpg,S01,screening,2024-05-01,left,index\n"
    )
    (tmp_path / "a.jpg").write_bytes(b"x")
    head = "subject_id,ulcer_no,active,ischaemic,standard_care_since\n"
    (tmp_path / "ulcers.csv").write_text(head + "S01,1,Yes,,2024-02\n")
    found = check_study(tmp_path, protocol="aduse")
    assert found.study is not None, [str(fault) for fault in found.faults]
    row = found.study.ulcers.iloc[0]
    assert (row["active"], row["ischaemic"], row["standard_care_since"], row["over_bone_relief"]) == (
        "yes",
        "",
        "2024-02",
        "",
    )
    (tmp_path / "ulcers.csv").write_text(head + "S01,1,perhaps,,last spring\n")
    faults = " ".join(map(str, check_study(tmp_path, protocol="aduse").faults))
    assert "one of yes, no" in faults and "ISO 8601" in faults
    assert "is not one that ulcermeter knows" in " ".join(map(str, check_study(tmp_path, protocol="manus").warnings))
    assert isinstance(found.study.ulcers, pd.DataFrame) and ASSESSMENT["painful"] == "yes"


# --- segment lengths ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("finger", "s_mm", "result"),
    [
        ("index", 30.0, "met"),
        ("thumb", 30.0, "not assessable"),  # its one joint lies there
        ("thumb", 44.0, "not met"),  # on the index this may be the joint
        ("index", 44.0, "not assessable"),
        ("little", 32.0, "not assessable"),
        ("little", 20.0, "met"),
    ],
)
def test_joints_lie_nearer_on_short_fingers(finger: str, s_mm: float, result: str) -> None:
    shown = {"finger_s_mm": s_mm, "finger_s_sd_mm": 1.0, "finger": finger, "ulcer_id": f"S01-left-{finger}-1"}
    study, tracked, course = story(
        SHIPPED["rescue"], tracked=[tracked_row(**shown)], photos=[photo_row(finger=finger)], ulcers=[]
    )
    added = {c.name: "" for c in SHIPPED["rescue"].columns}
    rows = usual("ulcers").assign(finger=finger, **added)
    done = assess_eligibility(replace(study, ulcers=rows), tracked, course)
    assert row_of(done, "at_or_beyond_pip")["result"] == result


# --- courses of treatment -------------------------------------------------------------------------------------------

WASHED_OUT = """extends = "generic"
[[columns]]
table = "treatments"
name = "dose_stable"
kind = "yes/no"
meaning = "at one dose for four weeks"
[[criteria]]
id = "no_recent_bosentan"
kind = "exclusion"
text = "Bosentan within 4 weeks before inclusion"
rule = { kind = "given", of = "treatment", drugs = ["bosentan"], at_most = 28 }
[[criteria]]
id = "stable"
kind = "advisory"
text = "A vasodilator at a stable dose"
rule = { kind = "yes_no", of = "treatment", column = "dose_stable" }
[[criteria]]
id = "prostacyclin_ended"
kind = "advisory"
text = "Iloprost that ended 4 to 12 weeks before"
rule = { kind = "date", of = "treatment", drugs = ["iloprost"], column = "end", at_least = 28, at_most = 84 }
"""


@pytest.fixture(scope="module")
def washed_out(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    path = tmp_path_factory.mktemp("protocol") / "protocol.toml"
    path.write_text(WASHED_OUT)
    return um.read_protocol(path)


@pytest.mark.parametrize(
    ("courses", "criterion", "result"),
    [
        # Inclusion is on 10 May 2016; 28 days before is 12 April.
        ([("bosentan", "2015-06-01", "2016-04-11")], "no_recent_bosentan", "not met"),
        ([("bosentan", "2015-06-01", "2016-04-12")], "no_recent_bosentan", "met"),  # its last day is inside
        ([("bosentan", "2015-06-01", "2016-12-01")], "no_recent_bosentan", "met"),  # still given on the day itself
        ([("bosentan", "2015-06-01", "")], "no_recent_bosentan", "not assessable"),  # nobody says that it ended
        ([("bosentan", "2016-05-01", "")], "no_recent_bosentan", "met"),  # begun inside, whenever it ended
        ([("bosentan", "2016-05-11", "2016-06-01")], "no_recent_bosentan", "not assessable"),  # none up to inclusion
        ([("bosentan", "", "2016-04-20")], "no_recent_bosentan", "met"),
        ([("bosentan", "", "2016-04")], "no_recent_bosentan", "not assessable"),  # 1 to 30 April
        ([("Bosentan 125 mg", "2015-06-01", "2016-04-30")], "no_recent_bosentan", "met"),
        ([("bosentann", "2015-06-01", "2016-04-30")], "no_recent_bosentan", "not assessable"),  # nearly its name
        ([("", "2015-06-01", "2016-04-30")], "no_recent_bosentan", "not assessable"),
        ([("sildenafil", "2015-06-01", "2016-04-30")], "no_recent_bosentan", "not met"),
        ([("sildenafil", "", ""), ("bosentan", "2016-01-01", "2016-05-01")], "no_recent_bosentan", "met"),
        ([], "no_recent_bosentan", "not assessable"),  # an empty file is not a clean history
        ([("sildenafil", "2015-06-01", "", "yes")], "stable", "met"),
        ([("sildenafil", "2015-06-01", "", "no")], "stable", "not met"),
        ([("sildenafil", "2015-06-01", "", "")], "stable", "not assessable"),
        ([("sildenafil", "2015-06-01", "", "no"), ("nifedipine", "2015-01-01", "", "yes")], "stable", "met"),
        ([("sildenafil", "2015-06-01", "", "no"), ("nifedipine", "2015-01-01", "", "")], "stable", "not assessable"),
        ([("iloprost", "2016-04-01", "2016-04-05")], "prostacyclin_ended", "met"),  # 35 days before
        ([("Ilomedin", "2016-02-10", "2016-02-16")], "prostacyclin_ended", "met"),  # 84 days, the limit counts
        ([("iloprost", "2016-02-10", "2016-02-15")], "prostacyclin_ended", "not met"),
        ([("iloprost", "2016-05-01", "2016-05-05")], "prostacyclin_ended", "not met"),
        ([("alprostadil", "2016-04-01", "2016-04-05")], "prostacyclin_ended", "not met"),
    ],
)
def test_rules_on_courses(washed_out: Protocol, courses: list[tuple[str, ...]], criterion: str, result: str) -> None:
    names = ("drug", "start", "end", "dose_stable")
    rows = [dict.fromkeys(names, "") | dict(zip(names, course, strict=False)) for course in courses]
    table = pd.DataFrame(rows, columns=list(names)).assign(subject_id="S01", route="")
    study, tracked, course = story(washed_out)
    row = row_of(assess_eligibility(replace(study, treatments=table), tracked, course), criterion)
    assert row["result"] == result
    assert ("treatments.csv" in row["would_settle"]) == (result == "not assessable")
