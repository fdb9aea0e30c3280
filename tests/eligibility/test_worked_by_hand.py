"""Hostile subjects, each worked out by hand from the trial's rules before it was run; the reason stands beside it."""

from __future__ import annotations

from typing import Any

import pytest
from eligibility_cases import (
    ASSESSMENT,
    COURSE,
    PERSON,
    PROTOCOL,
    STATEMENT,
    A,
    B,
    assess,
    course_row,
    photo_row,
    row_of,
    story,
    tracked_row,
    verdict,
)

from ulcermeter.eligibility import assess_eligibility
from ulcermeter.protocol import Protocol
from ulcermeter.tables import from_rows
from ulcermeter.tables.flags import FlagKind, read_flags

NAN = float("nan")
UNSURE = {"diameter_mm": 2.02, "diameter_low_mm": 1.80, "diameter_high_mm": 2.25, "over_threshold": "uncertain"}
SMALL = {"diameter_mm": 1.5, "diameter_low_mm": 1.3, "diameter_high_mm": 1.7, "over_threshold": "no"}
LARGE = {"diameter_mm": 3.0, "diameter_low_mm": 2.8, "diameter_high_mm": 3.2, "over_threshold": "yes"}
NO = {"worsened_1_month": "no", "no_improvement_2_months": "no", "recurred_3_months": "no"}
NOTHING_SHOWN = {"tracked": [], "ulcers": [], "refractory": []}
EXAMINED = {"subject_id": "S01", "visit": "screening", "date": "2016-05-03", "attended": "yes"}
EXAMINED |= {"all_fingers_examined": "yes", "n_active_clinician": 0}


def kinds(row: dict[str, Any]) -> set[FlagKind]:
    return {flag.kind for flag in read_flags(row["flags"])}


# --- a criterion that the protocol demotes chooses no ulcer ----------------------------------------------------------


def demoted(*names: str) -> Protocol:
    """MANUS with criteria that are reported and decide nothing."""
    from dataclasses import replace

    criteria = [c.model_copy(update={"enforce": False}) if c.id in names else c for c in PROTOCOL.criteria]
    return replace(PROTOCOL, criteria=tuple(criteria))


def two_ulcers() -> dict[str, Any]:
    """A is active with calcinosis under it; B, on the middle finger, too small and free of it; none refractory."""
    photos = [photo_row(), photo_row(finger="middle", ulcer_no="2", photo="m.jpg")]
    tracked = [tracked_row(), tracked_row(ulcer_id=B, finger="middle", photo="m.jpg", **SMALL)]
    looks = [ASSESSMENT | {"calcinosis_on_xray": "yes"}, ASSESSMENT | {"ulcer_no": "2", "finger": "middle"}]
    spoken = [STATEMENT | NO, STATEMENT | NO | {"ulcer_no": "2"}]
    return {"photos": photos, "tracked": tracked, "ulcers": looks, "refractory": spoken}


@pytest.mark.parametrize(
    ("names", "wanted", "qualifying"),
    [
        ((), "not eligible", ""),  # A is out by calcinosis, B by its size
        (("calcinosis",), "not eligible", ""),  # neither is refractory
        (("refractory_prostacyclin",), "not eligible", ""),  # A has calcinosis, B is too small
        (("refractory_prostacyclin", "calcinosis"), "eligible", A),  # A is active, and nothing else is asked of ulcers
        (("refractory_prostacyclin", "active_ulcer"), "eligible", B),  # B alone is free of calcinosis
        (("active_ulcer", "refractory_prostacyclin", "calcinosis"), "eligible", ""),  # no ulcer is asked for at all
    ],
)
def test_a_demoted_criterion_does_not_choose_the_ulcer(names: tuple[str, ...], wanted: str, qualifying: str) -> None:
    done = assess(protocol=demoted(*names), **two_ulcers())
    assert verdict(done) == wanted and done.eligibility_summary["qualifying_ulcer"].item() == qualifying
    assert all(row_of(done, name)["effect"] == "none" for name in names)


# --- no ulcer at all -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, "not eligible"),  # all fingers examined, none counted, photos clear
        ({"all_fingers_examined": ""}, "undetermined"),  # what was not examined is not ruled out
        ({"all_fingers_examined": "no"}, "undetermined"),
        ({"n_active_clinician": None}, "undetermined"),  # an empty count is not known, not 0
        ({"n_active_clinician": 2}, "undetermined"),  # two are counted that nobody describes
        ({"date": ""}, "undetermined"),  # it may be of after inclusion
        ({"date": "2016-05-11"}, "undetermined"),  # the day after inclusion
        ({"date": "2016-05-10"}, "not eligible"),  # inclusion itself counts
        ({"date": "2016-04-12"}, "not eligible"),  # 28 days before
        ({"date": "2016-04-11"}, "undetermined"),  # 29 days before: too old
        ({"date": "2016-05"}, "undetermined"),  # up to the 31st
        ({"date": "2016-04"}, "undetermined"),  # 1 April is too old, 30 April is not
        ({"visit": "history"}, "undetermined"),  # an old visit admits nobody
        ({"visit": "unscheduled"}, "not eligible"),
        ({"attended": "no"}, "undetermined"),  # nobody was there to be examined
    ],
)
def test_a_subject_without_any_ulcer(change: dict[str, Any], wanted: str) -> None:
    fingers = [("left", f) for f in ("thumb", "index", "middle", "ring", "little")]
    fingers += [("right", finger) for _, finger in fingers]
    photos = [photo_row(photo=f"{h}_{f}.jpg", hand=h, finger=f, ulcer_no="") for h, f in fingers]
    study, tracked, course = story(photos=photos, visits=[EXAMINED | change], **NOTHING_SHOWN)
    names = ("photo", "subject_id", "visit", "date", "hand", "finger")
    passed = from_rows("photos", [{n: row[n] for n in names} | {"status": "no ulcer"} for row in photos])
    done = assess_eligibility(study, tracked, course, passed)
    assert verdict(done) == wanted
    rows = [row_of(done, name) for name in ("active_ulcer", "refractory_prostacyclin", "calcinosis")]
    if wanted == "not eligible":
        assert [row["result"] for row in rows] == ["not met"] * 3
        assert [row["effect"] for row in rows] == ["fails", "fails", "passes"]
    else:
        assert all(row["would_settle"] for row in rows)


def test_ten_passing_photos_alone_do_not_rule_an_ulcer_out() -> None:
    """A palmar photo does not show the other sides, so somebody has to say that all fingers were examined."""
    done = assess(photos=[photo_row(ulcer_no="", reader_state="healed")], **NOTHING_SHOWN)
    row = row_of(done, "active_ulcer")
    assert verdict(done) == "undetermined" and "visits.csv: S01, all_fingers_examined" in row["would_settle"]


def test_a_refused_photo_leaves_a_hole_that_a_count_of_none_does_not_fill_in_silence() -> None:
    study, tracked, course = story(photos=[photo_row(ulcer_no="")], visits=[EXAMINED], **NOTHING_SHOWN)
    names = ("photo", "subject_id", "visit", "date", "hand", "finger")
    refused = from_rows("photos", [{n: photo_row()[n] for n in names} | {"status": "refused"}])
    assert verdict(assess_eligibility(study, tracked, course, refused)) == "undetermined"


@pytest.mark.parametrize(("count", "wanted"), [(1, "not eligible"), (0, "not eligible"), (2, "undetermined")])
def test_an_ulcer_that_the_clinic_counted_and_nobody_describes_is_not_ruled_out(count: int, wanted: str) -> None:
    """The only ulcer known is too small; the clinic counted `count` active ones on the day of the photo."""
    done = assess(tracked=[tracked_row(**SMALL)], visits=[EXAMINED | {"n_active_clinician": count}])
    assert verdict(done) == wanted
    told = {kind for row in done.eligibility_by_ulcer["flags"] for kind in kinds({"flags": row})}
    assert (FlagKind.CLINIC_COUNTS_MORE in told) == (count == 2)


@pytest.mark.parametrize(("count", "examined", "flagged"), [(0, "yes", True), (1, "yes", False), (0, "", False)])
def test_an_active_ulcer_that_the_clinic_did_not_count_is_left_open(count: int, examined: str, flagged: bool) -> None:
    """Its signs and its count contradict each other; which is wrong is for the clinic to say."""
    row = EXAMINED | {"n_active_clinician": count, "all_fingers_examined": examined}
    done = assess(visits=[row])
    assert (FlagKind.CLINIC_COUNTS_FEWER in kinds(row_of(done, "active_ulcer"))) == flagged
    assert verdict(done) == ("undetermined" if flagged else "eligible")
    assert ("n_active_clinician" in row_of(done, "active_ulcer")["would_settle"]) == flagged


# --- what events.csv says before inclusion ---------------------------------------------------------------------------

HERE = {"hand": "left", "finger": "index"}


@pytest.mark.parametrize(
    ("event", "where", "day", "wanted"),
    [
        ("amputation", HERE, "2016-05-05", "not eligible"),  # seen on the 3rd, gone on the 5th, included on the 10th
        ("amputation", HERE, "2016-05-10", "not eligible"),  # on the day itself
        ("amputation", HERE, "2016-05-11", "eligible"),  # later: what was known then
        ("amputation", HERE, "2016-05-02", "eligible"),  # the ulcer was seen on what is left of the finger
        ("amputation", HERE, "2016-05", "undetermined"),
        ("amputation", HERE, "", "undetermined"),
        ("amputation", {"hand": "left", "finger": "ring"}, "2016-05-05", "eligible"),
        ("amputation", {"hand": "left"}, "2016-05-05", "undetermined"),  # which finger?
        ("amputation", {}, "2016-05-05", "undetermined"),
        ("amputation", {"ulcer_no": "1"}, "2016-05-05", "not eligible"),  # names the ulcer alone
        ("amputation", {"ulcer_no": "2"}, "2016-05-05", "undetermined"),  # of a number that nothing ties to a finger
        ("debridement", HERE, "2016-05-05", "eligible"),
        ("gangrene", HERE, "2016-05-05", "eligible"),  # no criterion; the photo and the look were after or before it
        ("death", {}, "2016-05-08", "undetermined"),  # nobody is included after death: one of the dates is wrong
        ("death", {}, "2016-05-10", "undetermined"),
        ("death", {}, "2016-07", "eligible"),
        ("death", {}, "", "undetermined"),
        ("withdrawal", {}, "2016-05-09", "undetermined"),  # does the consent still stand?
        ("withdrawal", {}, "2016-05-11", "eligible"),
    ],
)
def test_events_before_inclusion(event: str, where: dict[str, str], day: str, wanted: str) -> None:
    done = assess(events=[{"subject_id": "S01", "event": event, "date": day, **where}])
    assert verdict(done) == wanted
    if wanted == "undetermined":
        assert "events.csv" in " ".join(done.eligibility["would_settle"])


@pytest.mark.parametrize(
    ("day", "count", "wanted"),
    [
        ("2016-05-09", 0, "undetermined"),  # nothing active a week after the photo and the signs
        ("2016-04-20", 0, "eligible"),  # counted before: it opened since
        ("2016-05", 0, "eligible"),  # a month may end after inclusion, and what may be later does not count
    ],
)
def test_a_count_contradicts_only_what_was_seen_before_it(day: str, count: int, wanted: str) -> None:
    row = EXAMINED | {"visit": "unscheduled", "date": day, "n_active_clinician": count}
    assert verdict(assess(visits=[row])) == wanted


@pytest.mark.parametrize(
    ("number", "written", "presence", "wanted"),
    [
        ("1", "1", "possible", "eligible"),  # the photo's number is of the ulcer that is there
        ("1", "", "possible", "eligible"),  # so is a look without a number
        ("", "1", "possible", "eligible"),
        ("", "1", "ulcer", "undetermined"),  # two ulcers: which is no. 1?
        ("1", "", "ulcer", "undetermined"),
    ],
)
def test_a_possible_ulcer_blurs_no_row_of_the_clinic(number: str, written: str, presence: str, wanted: str) -> None:
    second = tracked_row(ulcer_id=B, label=2, **SMALL, presence=presence)
    second |= {"state": "indeterminate"} if presence == "possible" else {}
    done = assess(
        tracked=[tracked_row(), second],
        photos=[photo_row(ulcer_no=number)],
        ulcers=[ASSESSMENT | {"ulcer_no": written}],
    )
    assert verdict(done) == wanted


# --- photos of one day ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "result", "conflict"),
    [
        (LARGE, SMALL, "not assessable", True),  # 3.0 and 1.5 mm: one of the two is of something else
        (LARGE, UNSURE, "not assessable", True),  # 2.8-3.2 and 1.8-2.25 do not meet either
        (LARGE | {"diameter_low_mm": 2.1}, UNSURE, "met", False),  # they meet; the bedside (2.5) settles the doubt
        (UNSURE, UNSURE, "met", False),
        (LARGE, LARGE, "met", False),
        (SMALL, SMALL, "not met", False),
    ],
)
def test_photos_of_one_day_that_exclude_each_other(
    first: dict[str, Any], second: dict[str, Any], result: str, conflict: bool
) -> None:
    row = row_of(assess(tracked=[tracked_row(**first), tracked_row(photo="b.jpg", **second)]), "active_ulcer")
    assert row["result"] == result and (FlagKind.PHOTOS_DISAGREE in kinds(row)) == conflict
    if conflict:
        assert "b.jpg" in row["evidence"] and "bedside 2.50 mm" in row["evidence"], "both are named"
        assert "a passing photo" in row["would_settle"] and "bedside" not in row["would_settle"]


def test_of_two_days_the_later_counts_and_there_is_no_conflict() -> None:
    later = tracked_row(photo="b.jpg", date="2016-05-09", visit="unscheduled", **SMALL)
    row = row_of(assess(tracked=[tracked_row(**LARGE), later]), "active_ulcer")
    assert row["result"] == "not met" and FlagKind.PHOTOS_DISAGREE not in kinds(row)


# --- evidence has an age ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "result"),
    [
        ("2016-05-10", "met"),  # inclusion
        ("2016-04-12", "met"),  # 28 days before
        ("2016-04-11", "not assessable"),  # 29
        ("2016-04", "not assessable"),  # may be 40 days before
        ("2015-05-03", "not assessable"),
    ],
)
def test_the_age_of_a_photo(day: str, result: str) -> None:
    shown = {"date": day, "visit": "unscheduled"}
    row = row_of(assess(photos=[photo_row(**shown)], tracked=[tracked_row(**shown)]), "active_ulcer")
    assert row["result"] == result
    if result != "met":
        assert "2.41 mm" in row["evidence"] and "over the 28 days that count" in row["evidence"]
        assert "a passing photo up to 2016-05-10, at most 28 days before" in row["would_settle"]


@pytest.mark.parametrize(("day", "result"), [("2016-04-12", "met"), ("2016-04-11", "not assessable")])
def test_the_age_of_the_signs(day: str, result: str) -> None:
    row = row_of(assess(ulcers=[ASSESSMENT | {"assessed_on": day}]), "active_ulcer")
    assert row["result"] == result
    if result != "met":
        assert "painful: yes on 2016-04-11, 29 days before" in row["evidence"]
        assert FlagKind.NOT_USED_TOO_OLD in kinds(row)
        assert "painful and assessed_on, to be answered anew up to 2016-05-10" in row["would_settle"]


@pytest.mark.parametrize(("limit", "result"), [(7, "met"), (6, "not assessable")])
def test_the_age_of_a_bedside_diameter(limit: int, result: str) -> None:
    """The examination of 3 May is 7 days old on 10 May; the photo of the 9th leaves the size open."""
    late = {"photo": "b.jpg", "date": "2016-05-09", "visit": "unscheduled"}
    row = row_of(
        assess(
            photos=[photo_row(**late)],
            tracked=[tracked_row(**late, **UNSURE)],
            protocol=PROTOCOL.changed(examination_max_days=limit),
        ),
        "active_ulcer",
    )
    assert row["result"] == result and ("settles the uncertain photo" in row["evidence"]) == (result == "met")


@pytest.mark.parametrize(
    ("day", "result"),
    [
        ("2015-11-09", "not met"),  # 183 days before 2016-05-10
        ("2015-11-08", "not assessable"),
        ("2012-01-01", "not assessable"),
    ],
)
@pytest.mark.parametrize("shows", ["yes", "no"])
def test_the_age_of_an_xray(day: str, shows: str, result: str) -> None:
    row = row_of(assess(ulcers=[ASSESSMENT | {"xray_date": day, "calcinosis_on_xray": shows}]), "calcinosis")
    assert row["result"] == ("met" if result == "not met" and shows == "yes" else result)
    if result == "not assessable":
        assert f"calcinosis on the X-ray: {shows} on {day}" in row["evidence"]
        assert "calcinosis_on_xray and xray_date, to be answered anew up to 2016-05-10" in row["would_settle"]


def test_a_fresh_answer_after_an_old_one_counts_whatever_the_old_one_said() -> None:
    old = ASSESSMENT | {"assessed_on": "2015-05-03", "painful": "no", "xray_date": "2014-05-04"}
    assert verdict(assess(ulcers=[old | {"calcinosis_on_xray": "yes"}, ASSESSMENT])) == "eligible"


def test_a_protocol_sets_the_ages() -> None:
    old = {"date": "2015-05-03", "visit": "unscheduled"}
    rules = PROTOCOL.changed(active_photo_max_days=400)
    assert verdict(assess(photos=[photo_row(**old)], tracked=[tracked_row(**old)], protocol=rules)) == "eligible"


# --- the physician's words and when they were said -------------------------------------------------------------------

# The course ended on 2016-01-08, so the windows close on 02-08 (worse), 03-08 (no better) and 04-08 (back).
BEFORE = course_row("2016-01-02", 10.0)


@pytest.mark.parametrize(
    ("said", "on", "seen", "result"),
    [
        ({"worsened_1_month": "yes"}, "2016-01-07", [], "not assessable"),  # before the course ended: nothing
        ({"worsened_1_month": "yes"}, "2016-01-08", [], "met"),  # on its last day: inside the window
        ({"worsened_1_month": "yes"}, "2016-01-20", [], "met"),  # a yes inside the window stands
        ({"worsened_1_month": "yes"}, "2016-04-20", [], "met"),  # and one told afterwards
        ({"worsened_1_month": "yes"}, "2016-05-11", [], "not assessable"),  # after inclusion
        ({"worsened_1_month": "yes"}, "", [], "not assessable"),  # nobody knows when
        ({"recurred_3_months": "yes"}, "2016-02-20", [], "met"),  # before the window closed, but it has happened
        ({"no_improvement_2_months": "yes"}, "2016-03-07", [], "not assessable"),  # the two months are not over
        ({"no_improvement_2_months": "yes"}, "2016-03-08", [], "met"),
        (NO, "2016-04-08", [], "not met"),  # on the last window's last day all three no count
        (NO, "2016-04-07", [], "not assessable"),  # the ulcer could still come back for a day
        (NO, "2016-02-01", [], "not assessable"),
        # Photos settle what an early no leaves open: worse by half inside the month; then any arm suffices.
        (NO, "2016-01-20", [BEFORE, course_row("2016-02-05", 15.0)], "met"),
        # An answer before the course ended counts for nothing, so photos speak as if there were none.
        ({"worsened_1_month": "no"}, "2016-01-07", [BEFORE, course_row("2016-02-05", 15.0)], "met"),
        # The physician's no in time stands against photos that show it worse, flagged.
        (NO, "2016-04-20", [BEFORE, course_row("2016-02-05", 15.0)], "not met"),
    ],
)
def test_when_the_physician_said_it(said: dict[str, str], on: str, seen: list[dict[str, Any]], result: str) -> None:
    nothing = dict.fromkeys(NO, "")
    done = assess(refractory=[STATEMENT | nothing | said | {"judged_on": on}], trajectories=seen)
    row = row_of(done, "refractory_prostacyclin")
    assert row["result"] == result, row["evidence"]
    assert bool(row["would_settle"]) == (result == "not assessable")


def test_photos_settle_an_early_no_only_with_the_window_closed_and_looked_into() -> None:
    """Never open again on photos to the end of its window: recurrence is ruled out by them; so is worsening."""
    seen = [BEFORE, course_row("2016-02-05", 10.0), course_row("2016-04-01", 10.0)]
    no = STATEMENT | NO
    early = no | {"judged_on": "2016-03-20"}  # in time for (a) and (b), not for (c)
    row = row_of(assess(refractory=[early], trajectories=seen), "refractory_prostacyclin")
    assert row["result"] == "not met"
    hidden = row_of(assess(refractory=[early], trajectories=seen[:1]), "refractory_prostacyclin")
    assert hidden["result"] == "not assessable"
    assert "asked on or after 2016-04-08" in hidden["would_settle"] and "worsened" not in hidden["would_settle"]


# --- what would settle it: the cell that is missing, never one that is filled -----------------------------------------


@pytest.mark.parametrize(
    ("changes", "criterion", "asked", "not_asked"),
    [
        ({"ulcers": [ASSESSMENT | {"painful": ""}]}, "active_ulcer", ["painful"], ["visible_depth", "assessed_on"]),
        ({"ulcers": [ASSESSMENT | {"assessed_on": ""}]}, "active_ulcer", ["assessed_on"], ["painful", "loss_of"]),
        (
            {"ulcers": [ASSESSMENT | {"assessed_on": "2016-05"}]},
            "active_ulcer",
            ["assessed_on to the day"],
            ["painful"],
        ),
        ({"ulcers": [ASSESSMENT | {"xray_date": ""}]}, "calcinosis", ["xray_date"], ["calcinosis_on_xray"]),
        ({"ulcers": [ASSESSMENT | {"calcinosis_on_xray": ""}]}, "calcinosis", ["calcinosis_on_xray"], ["xray_date"]),
        ({"ulcers": []}, "calcinosis", ["calcinosis_on_xray and xray_date"], []),
        (
            {"ulcers": [ASSESSMENT, ASSESSMENT | {"painful": "no"}]},
            "active_ulcer",
            ["painful, to be corrected"],
            ["visible"],
        ),
        (
            {"tracked": [tracked_row(**UNSURE)], "ulcers": [ASSESSMENT | {"diameter_mm_bedside": NAN}]},
            "active_ulcer",
            ["a passing photo", "or ulcers.csv: S01 ulcer S01-left-index-1 (no. 1), diameter_mm_bedside"],
            ["assessed_on"],
        ),
        ({"treatments": [COURSE | {"end": ""}]}, "refractory_prostacyclin", ["treatments.csv: S01 iloprost, end"], []),
        ({"treatments": [COURSE | {"route": ""}]}, "refractory_prostacyclin", ["route"], ["drug"]),
        ({"treatments": [COURSE | {"drug": "iloprst"}]}, "refractory_prostacyclin", ["drug"], ["route"]),
        (
            {"refractory": [STATEMENT | {"judged_on": ""}]},
            "refractory_prostacyclin",
            ["refractory.csv: S01 ulcer S01-left-index-1 (no. 1), judged_on"],
            ["no_improvement_2_months", "course_end"],
        ),
        (
            {"refractory": [STATEMENT | NO | {"no_improvement_2_months": ""}]},
            "refractory_prostacyclin",
            ["no_improvement_2_months"],
            ["worsened_1_month", "recurred_3_months"],
        ),
        (
            {"refractory": [STATEMENT | {"judged_on": "2016-02"}]},
            "refractory_prostacyclin",
            ["no_improvement_2_months and judged_on, to be answered anew, asked on or after 2016-03-08"],
            ["course_end"],
        ),
        ({"subjects": [PERSON | {"birth_date": "1998", "age": NAN}]}, "age_18", ["birth_date to the day", "age"], []),
        ({"subjects": [PERSON | {"age": 12.0}]}, "age_18", ["birth_date, to be corrected", "age, to be"], []),
        (
            {"subjects": [PERSON | {"neoplasm_last_10y": "", "neoplasm_last_active": "2006"}]},
            "neoplasm_10y",
            ["neoplasm_last_10y", "neoplasm_last_active to the day"],
            [],
        ),
        (
            {"subjects": [PERSON | {"neoplasm_last_10y": "no", "neoplasm_last_active": "2010-01-01"}]},
            "neoplasm_10y",
            ["neoplasm_last_10y, to be corrected", "neoplasm_last_active, to be corrected"],
            [],
        ),
        (
            {"subjects": [PERSON | {"neoplasm_last_10y": "", "neoplasm_last_active": "2016-06-01"}]},
            "neoplasm_10y",
            ["neoplasm_last_10y"],
            ["neoplasm_last_active"],
        ),
        ({"subjects": [PERSON | {"consent_date": ""}]}, "informed_consent", ["consent_date"], ["inclusion_date"]),
        ({"subjects": [PERSON | {"inclusion_date": ""}]}, "informed_consent", ["inclusion_date"], ["consent_date"]),
        (
            {"subjects": [PERSON | {"consent_date": "2016-05"}]},
            "informed_consent",
            ["consent_date to the day"],
            ["inclusion_date"],
        ),
        (
            {"subjects": [PERSON | {"childbearing_potential": "yes", "pregnant": "no"}]},
            "pregnancy_contraception",
            ["contraception_refused"],
            ["pregnant", "childbearing_potential", "sex"],
        ),
        (
            {"subjects": [PERSON | {"ssc_established": "", "skin_thickening_proximal_mcp": "no", "raynaud": "yes"}]},
            "ssc_acr_eular_2013",
            ["ssc_established", "ssc_antibodies", "fingers"],
            ["raynaud", "skin_thickening"],
        ),
        (
            {"subjects": [PERSON | {"ssc_established": "", "fingers_spared": "yes"}]},
            "ssc_acr_eular_2013",
            ["ssc_established"],
            ["raynaud", "fingers"],  # the score says nothing where the fingers are spared
        ),
    ],
)
def test_would_settle_names_what_is_missing(
    changes: dict[str, Any], criterion: str, asked: list[str], not_asked: list[str]
) -> None:
    row = row_of(assess(**changes), criterion)
    assert row["result"] == "not assessable"
    for part in asked:
        assert part in row["would_settle"]
    for part in not_asked:
        assert part not in row["would_settle"]


# --- the ACR/EULAR score ---------------------------------------------------------------------------------------------

OPEN_ITEMS = dict.fromkeys(
    ("ssc_established", "skin_thickening_proximal_mcp", "fingers", "fingertips", "telangiectasia",
     "abnormal_capillaries", "pah_or_ild", "raynaud", "ssc_antibodies"), "",
)  # fmt: skip
ALL = {"fingers": "sclerodactyly", "fingertips": "pitting scars"}
ALL |= dict.fromkeys(("telangiectasia", "abnormal_capillaries", "pah_or_ild", "raynaud", "ssc_antibodies"), "yes")


@pytest.mark.parametrize(
    ("items", "value", "result"),
    [
        ({}, "0-19", "not assessable"),  # the published range
        ({"skin_thickening_proximal_mcp": "yes"}, "9", "met"),  # sufficient, and nothing is added to it
        (ALL | {"skin_thickening_proximal_mcp": "yes"}, "9", "met"),
        (ALL | {"skin_thickening_proximal_mcp": "no"}, "19", "met"),  # 4 + 3 + 2 + 2 + 2 + 3 + 3
        (ALL, "19", "met"),
        ({"skin_thickening_proximal_mcp": "no"}, "0-19", "not assessable"),
        # puffy 2, ulcers 2, Raynaud 3, no more: 7, and thickening would make 9.
        (
            dict.fromkeys(ALL, "no") | {"fingers": "puffy", "fingertips": "ulcers", "raynaud": "yes"},
            "7-9",
            "not assessable",
        ),
        (
            dict.fromkeys(ALL, "no")
            | {"fingers": "puffy", "fingertips": "ulcers", "raynaud": "yes", "skin_thickening_proximal_mcp": "no"},
            "7",
            "not met",
        ),
    ],
)
def test_the_score_runs_from_0_to_19(items: dict[str, str], value: str, result: str) -> None:
    row = row_of(assess(subjects=[PERSON | OPEN_ITEMS | items]), "ssc_acr_eular_2013")
    assert (row["value"], row["result"]) == (value, result)
