"""What the report says of the study as a whole, gathered from the tables; the templates only place it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from operator import itemgetter

from ulcermeter.datatypes import Results, Study
from ulcermeter.outcomes.columns import worsened_column, worsened_or_new_column
from ulcermeter.plots import study_courses, study_states
from ulcermeter.protocol import Parameter, Protocol
from ulcermeter.report.formatting import plural
from ulcermeter.report.pictures import svg_uri
from ulcermeter.report.subjects import STATUSES
from ulcermeter.tables.cells import MACHINE, PASSED, Record, grouped, records
from ulcermeter.tables.queries import AnsweredBy

__all__ = ["gather"]

_BY_MACHINE = "the machine alone"
# Rows of a table on the overview; a longer one is no overview and would not open at once.
_ROWS_SHOWN = 250
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
    """Return what the pages show of the study as a whole: plain rows, counts and figures.

    Parameters
    ----------
    study : Study
        The study folder as read.
    results : Results
        The tables of a results folder.

    Returns
    -------
    dict of str to object
        By the names that the templates use; of long tables the first rows, with how many there are.
    """
    protocol = study.protocol
    remarks = results.photos[results.photos["status"].isin(PASSED) & (results.photos["reason"] != "")]
    lists = {
        "again": results.retake,
        "remarks": remarks,
        "outcomes": results.outcomes,
        "burden": results.outcomes_by_subject,
    }
    return {
        "protocol": protocol,
        "threshold_mm": protocol.measurement.threshold_diameter_mm,
        "counts": _counts(results),
        "plots": _plots(results, protocol),
        "conditions": _CONDITIONS,
        "quality": _quality(results),
        "queries": _grouped(records(results.queries)),
        **{name: records(table.head(_ROWS_SHOWN)) for name, table in lists.items()},
        **{f"n_{name}": len(table) for name, table in lists.items()},
        "reductions": _reduction_columns(results),
        "primary": protocol.outcomes.primary_visit,
        "worse": worsened_column(protocol),
        "worse_or_new": worsened_or_new_column(protocol),
        "assumptions": [(parameter, _value(parameter)) for parameter in protocol.assumptions()],
        "windows": ", ".join(
            f"{visit.name} {visit.day} ± {visit.window_days}"
            for visit in protocol.visits
            if visit.day is not None and visit.window_days
        ),
        "run": _provenance(results, protocol),
        "run_id": str(results.run.get("run_id", "")),
    }


def _plots(results: Results, protocol: Protocol) -> list[tuple[str, str]]:
    """Return the figures of the whole study, each with its words; none where no ulcer was followed."""
    if not len(results.trajectories):
        return []
    return [
        (svg_uri(study_courses(results.trajectories, protocol=protocol)), "Diameters of all ulcers over the days"),
        (
            svg_uri(study_states(results.trajectories, protocol=protocol)),
            "How many ulcers were in which state by visit",
        ),
    ]


def _counts(results: Results) -> dict[str, object]:
    statuses = Counter(results.photos["status"])
    verdicts = Counter(results.eligibility_summary["verdict"])
    over = Counter(results.measurements.loc[results.measurements["presence"] != "possible", "over_threshold"])
    return {
        "photos": len(results.photos),
        "statuses": [(name, statuses[name]) for name in STATUSES],
        "verdicts": [(name, verdicts[name]) for name in _VERDICTS],
        "over": [(name, over[name]) for name in ("yes", "no", "uncertain")],
        "ulcers": len(set(results.trajectories["ulcer_id"]) - {""}),
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


def _grouped(queries: list[Record]) -> list[tuple[str, list[Record], int]]:
    """Return queries by who can answer them, and how many; first what touches a verdict, then an outcome."""
    weights = [(row["touches_verdict"] != "yes", row["touches_outcome"] != "yes", row["kind"]) for row in queries]
    ordered = [row for _, row in sorted(zip(weights, queries, strict=True), key=lambda item: item[0])]
    groups = grouped(ordered, key=itemgetter("answered_by"))
    return [(who, groups[who][:_ROWS_SHOWN], len(groups[who])) for who in map(str, AnsweredBy) if who in groups]


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
