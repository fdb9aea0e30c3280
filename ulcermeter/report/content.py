"""What stands in the report, gathered from the tables; the template only places it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import itemgetter

from ulcermeter.datatypes import Results, Study
from ulcermeter.outcomes.columns import worsened_column, worsened_or_new_column
from ulcermeter.plots import healing_curve
from ulcermeter.protocol import Parameter, Protocol
from ulcermeter.report.formatting import plural, with_interval
from ulcermeter.report.pictures import add_overlays, curve_uri
from ulcermeter.tables.cells import MACHINE, PASSED, Record, grouped, known_number, records
from ulcermeter.tables.queries import AnsweredBy

__all__ = ["gather"]

_STATUSES = ("measured", "no ulcer", "indeterminate", "refused", "failed")
_BY_MACHINE = "the machine alone"
_VERDICTS = ("eligible", "not eligible", "undetermined")
_CONDITIONS = {
    "active_ulcer": "Active",
    "refractory_prostacyclin": "Refractory to intravenous prostacyclins",
    "calcinosis": "Calcinosis under it, which excludes",
}
# The share of 332 phone photos taken by patients that met each criterion, %: doi 10.1093/rap/rkac105 ("some shadow" on
# 81 %). Its reference is an adhesive dot of 1 cm.
_QUALITY_ELSEWHERE = {
    "quality_in_focus": ("in focus", 77),
    "quality_no_shadow": ("no shadow on the finger", 19),
    "quality_even_light": ("even light", 17),
    "quality_reference_present": ("reference in place", 70),
    "quality_reference_square": ("reference square to the camera", 32),
    "quality_ulcer_centred": ("ulcer centred", 77),
}


def gather(study: Study, results: Results) -> dict[str, object]:
    """Return everything the template shows: plain rows, counts and pictures.

    Parameters
    ----------
    study : Study
        The study folder as read.
    results : Results
        The tables of a results folder.

    Returns
    -------
    dict of str to object
        By the names that the template uses.
    """
    protocol = study.protocol
    queries = records(results.queries)
    curves = _curves(results, protocol)
    photos = records(results.photos)
    add_overlays(photos, results.root / "overlays", other_bytes=sum(len(uri) for uri in curves.values()))
    subjects = _subjects(results, photos, curves, queries)
    return {
        "study": study.root.resolve().name,
        "protocol": protocol,
        "threshold_mm": protocol.measurement.threshold_diameter_mm,
        "counts": _counts(results, photos),
        "conditions": _CONDITIONS,
        "subjects": subjects,
        "anchors": {subject["id"]: subject["anchor"] for subject in subjects},
        "again": records(results.retake),
        "quality": _quality(results),
        "queries": _grouped(queries),
        "remarks": [row for row in photos if row["status"] in PASSED and row["reason"]],
        "outcomes": records(results.outcomes),
        "reductions": _reduction_columns(results),
        "primary": protocol.outcomes.primary_visit,
        "worse": worsened_column(protocol),
        "worse_or_new": worsened_or_new_column(protocol),
        "burden": records(results.outcomes_by_subject),
        "assumptions": [(parameter, _value(parameter)) for parameter in protocol.assumptions()],
        "windows": ", ".join(
            f"{visit.name} {visit.day} ± {visit.window_days}"
            for visit in protocol.visits
            if visit.day is not None and visit.window_days
        ),
        "run": _provenance(results, protocol),
    }


def _counts(results: Results, photos: list[Record]) -> dict[str, object]:
    statuses = Counter(row["status"] for row in photos)
    verdicts = Counter(results.eligibility_summary["verdict"])
    over = Counter(results.measurements.loc[results.measurements["presence"] != "possible", "over_threshold"])
    return {
        "photos": len(photos),
        "statuses": [(name, statuses[name]) for name in _STATUSES],
        "verdicts": [(name, verdicts[name]) for name in _VERDICTS],
        "over": [(name, over[name]) for name in ("yes", "no", "uncertain")],
        "ulcers": len({row["ulcer_id"] for row in records(results.trajectories)} - {""}),
        "measurements": len(results.measurements),
        "confirmed": int((results.measurements["reader"] != MACHINE).sum()),
        "readers": sorted(Counter(results.measurements["reader"].replace(MACHINE, _BY_MACHINE)).items()),
    }


def _quality(results: Results) -> list[Record]:
    """Return for each quality criterion how many photo rows meet it, of how many it was determined on."""
    rows = []
    for column, (words, elsewhere) in _QUALITY_ELSEWHERE.items():
        answers = Counter(results.photos[column])
        judged = answers["yes"] + answers["no"]
        share = round(100 * answers["yes"] / judged) if judged else None
        rows.append({"words": words, "yes": answers["yes"], "judged": judged, "share": share, "elsewhere": elsewhere})
    return rows


def _curves(results: Results, protocol: Protocol) -> dict[str, str]:
    """Return a curve for each ulcer with at least two visits; one visit is no course and stands in the table."""
    curves = {}
    for ulcer_id, rows in results.trajectories.groupby("ulcer_id", sort=True):
        if ulcer_id and len(rows) > 1 and rows["diameter_mm"].notna().any():
            curves[str(ulcer_id)] = curve_uri(healing_curve(rows, protocol=protocol))
    return curves


def _subjects(results: Results, photos: list[Record], curves: dict[str, str], queries: list[Record]) -> list[Record]:
    verdicts = {row["subject_id"]: row for row in records(results.eligibility_summary)}
    measured = grouped(records(results.measurements), key=itemgetter("photo"))
    tables = {
        "criteria": grouped(records(results.eligibility), key=itemgetter("subject_id")),
        "conditions": grouped(records(results.eligibility_by_ulcer), key=itemgetter("subject_id")),
        "courses": grouped(records(results.trajectories), key=itemgetter("subject_id")),
        "photos": grouped(photos, key=itemgetter("subject_id")),
    }
    names = sorted(set(verdicts).union(*tables.values()))
    subjects = []
    for position, name in enumerate(names, start=1):
        subject: Record = {key: rows.get(name, []) for key, rows in tables.items()}
        subject |= {"id": name, "anchor": f"subject-{position}", "verdict": verdicts.get(name)}
        subject["n_queries"] = sum(query["subject_id"] == name for query in queries)
        subject["tally"] = _tally(subject["photos"])
        subject["ulcers"] = _ulcers(subject, curves)
        for photo in subject["photos"]:
            rows = measured.get(photo["photo"], [])
            photo["found"] = [row for row in rows if (row["hand"], row["finger"]) == (photo["hand"], photo["finger"])]
            photo["alt"] = _alternative(photo)
        subjects.append(subject)
    return subjects


def _tally(photos: list[Record]) -> str:
    statuses = Counter(row["status"] for row in photos)
    return ", ".join(f"{statuses[name]} {name}" for name in _STATUSES if statuses[name])


def _ulcers(subject: Record, curves: dict[str, str]) -> list[Record]:
    conditions = grouped(subject["conditions"], key=itemgetter("ulcer_id"))
    courses = grouped(subject["courses"], key=itemgetter("ulcer_id"))
    return [
        {
            "id": ulcer_id,
            "clinic_no": next((row["ulcer_no"] for row in conditions.get(ulcer_id, []) if row["ulcer_no"]), ""),
            "conditions": conditions.get(ulcer_id, []),
            "course": courses.get(ulcer_id, []),
            "curve": curves.get(ulcer_id, ""),
            "in_words": _course_in_words(courses.get(ulcer_id, [])),
        }
        for ulcer_id in sorted(set(conditions) | set(courses))
    ]


def _course_in_words(course: list[Record]) -> str:
    """Say a curve in words, for those who cannot see it."""
    steps = [
        f"{row['visit']} {row['state']}"
        + (f" {with_interval(row, 'diameter_mm')} mm" if known_number(row["diameter_mm"]) > 0 else "")
        for row in course
    ]
    return "; ".join(steps)


def _alternative(photo: Record) -> str:
    found = [f"{_called(row)} {int(row['label'])}, {with_interval(row, 'diameter_mm')} mm" for row in photo["found"]]
    shown = ", ".join(found) or photo["status"]
    return f"Photo of {photo['subject_id']}, {photo['visit']}, {photo['hand']} {photo['finger']}: {shown}"


def _called(row: Record) -> str:
    return "possible ulcer" if row["presence"] == "possible" else "ulcer"


def _grouped(queries: list[Record]) -> list[tuple[str, list[Record]]]:
    """Return the queries by who can answer them; first what touches a verdict, then what touches an outcome."""
    weights = [(row["touches_verdict"] != "yes", row["touches_outcome"] != "yes", row["kind"]) for row in queries]
    ordered = [row for _, row in sorted(zip(weights, queries, strict=True), key=lambda item: item[0])]
    groups = grouped(ordered, key=itemgetter("answered_by"))
    return [(who, groups[who]) for who in map(str, AnsweredBy) if who in groups]


def _reduction_columns(results: Results) -> list[tuple[str, str]]:
    """Return (column, heading) of area_reduction_..._pct as far as any ulcer has a value."""
    columns = [str(c) for c in results.outcomes.columns if str(c).startswith("area_reduction_")]
    filled = [c for c in columns if results.outcomes[c].notna().any()]
    return [(c, c.removeprefix("area_reduction_").removesuffix("_pct").replace("_", " ")) for c in filled]


def _value(parameter: Parameter) -> str:
    value = parameter.value
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    shows_unit = parameter.unit and not isinstance(value, str | list | tuple)
    return f"{text} {parameter.unit}" if shows_unit else text


def _provenance(results: Results, protocol: Protocol) -> list[tuple[str, str]]:
    """Return what made the numbers; run.json holds the same with the times, the command and every photo's hash."""
    run = results.run
    packages = ", ".join(f"{name} {version}" for name, version in run.get("packages", {}).items())
    facts = [
        ("ulcermeter", str(run.get("ulcermeter", ""))),
        ("run id", str(run.get("run_id", ""))),
        ("protocol", f"{protocol.title} ({protocol.name})"),
        ("protocol sha256", protocol.sha256),
        ("model sha256", str(run.get("model_sha256", ""))),
        ("photos hashed", plural(len(run.get("photos", {})), "photo")),
        ("log of readings", _log_in_words(run.get("log", {}))),
        ("Python", str(run.get("python", ""))),
        ("platform", str(run.get("platform", ""))),
        ("packages", packages),
    ]
    return [(name, value) for name, value in facts if value]


def _log_in_words(log: Mapping[str, object]) -> str:
    """Say how long the log is and which hash its last entry has; empty where nothing was decided."""
    count = int(str(log.get("entries", 0)))
    return f"{plural(count, 'entry', 'entries')}, head {log.get('head', '')}" if count else ""
