"""``ulcermeter agreement``: two readers, two runs, or a reader and the machine."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import NOTE, clear_errors, command_with, folder_for, say
from ulcermeter.errors import Problem, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Results

__all__ = ["command"]

_MEASURES = ("diameter_mm", "width_mm", "area_mm2", "perimeter_mm", "ln_area")
_NEEDED = {
    "measurements": ("photo", "label", "diameter_mm", "centroid_x_px", "centroid_y_px"),
    "outlines": ("photo", "label", "vertex", "x_px", "y_px"),
}
# Tables are written with 4 decimals, which alone make areas of 1 mm² and more differ by less than this, in ln(mm²).
_SAME_READING = 1e-4
_NAMES = {
    "diameter_mm": "diameter, mm",
    "width_mm": "width, mm",
    "area_mm2": "area, mm²",
    "perimeter_mm": "perimeter, mm",
    "ln_area": "ln area",
}


@click.command(
    name="agreement",
    cls=command_with(
        "ulcermeter agreement results_machine results_reader", "ulcermeter agreement results@R1 results@R2 -o out"
    ),
)
@click.argument("a", type=click.Path())
@click.argument("b", type=click.Path())
@click.option("-o", "--out", type=click.Path(), metavar="DIR", help="Write the tables there as CSV.")
@clear_errors
def command(a: str, b: str, out: str | None) -> None:
    """Compare two readings A and B of the same photos.

    Each is a results folder, a reader's readings in one (results@R1; results@R1:2 of photos that were shown a second
    time), or a measurements.csv with an outlines.csv beside it; its column reader says who drew an outline. One that
    somebody let stand as it was shown is counted apart, and proposes no error.

    Printed are intraclass correlations, limits of agreement (A - B), the smallest detectable change, the calls at the
    threshold and the overlap of outlines.

    Exit status: 0 compared, 2 a reading cannot be read or they have no photo in common.
    """
    from ulcermeter.agreement import agreement, photos_read

    (first, outlines_a), (second, outlines_b) = _read(a), _read(b)
    folder = folder_for(out, what="tables")
    got = agreement(first, second, outlines_a=outlines_a, outlines_b=outlines_b)
    if folder is not None:
        _write(folder, got)
    photos = _on_photos(photos_read(first), photos_read(second))
    for line in (
        *_on_pairs(got["pairs"]),
        *_on_readers(got["counts"]),
        *photos,
        "",
        *_on_sizes(got["sizes"]),
        "",
        *_on_calls(got),
        "",
        *_on_change(got),
    ):
        say(line)
    say(NOTE)


# --- in and out -----------------------------------------------------------------------------------------------------


def _read(given: str) -> tuple[Results | pd.DataFrame, pd.DataFrame | None]:
    """Return results, or measurements and the outlines beside them."""
    from ulcermeter.store import read_results

    path = Path(given)
    folder, at, reader = given.rpartition("@")
    if at and not path.exists() and (Path(folder) / "run.json").is_file():
        return _of_reader(folder, reader)
    if path.is_dir() and (path / "run.json").is_file():
        return read_results(path), None
    file = path / "measurements.csv" if path.is_dir() else path
    if not file.is_file():
        raise StudyError(
            Problem(
                where=str(given),
                expected="a results folder or a measurements.csv",
                got="neither",
                action="check the path",
            )
        )
    beside = file.with_name("outlines.csv")
    return _read_csv(file, "measurements"), _read_csv(beside, "outlines") if beside.is_file() else None


def _of_reader(folder: str, reader: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return a reader's tables; ``R1:2`` is what R1 said of the photos that were shown a second time."""
    from ulcermeter.pipeline.reader_tables import tables_of_reader

    name, colon, occasion = reader.rpartition(":")
    if colon and occasion in ("1", "2"):
        return tables_of_reader(folder, name, occasion=int(occasion))
    return tables_of_reader(folder, reader)


def _read_csv(file: Path, name: str) -> pd.DataFrame:
    import pandas as pd

    from ulcermeter.tables import columns, conform
    from ulcermeter.tables.cells import unguarded

    try:
        raw = pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8-sig").map(unguarded)
        frame = conform(name, raw, extra=True, called=str(file))
    except (ValueError, OSError) as error:
        raise StudyError(Problem(where=str(file), expected=f"the columns of {name}.csv", got=str(error))) from error
    absent = [c for c in _NEEDED[name] if c not in raw.columns]
    if absent:
        raise StudyError(
            Problem(where=str(file), expected=f"the columns of {name}.csv", got=f"none named {', '.join(absent)}")
        )
    # The printed table of `measure` also lists photos that were refused; their status tells.
    return frame[[*columns(name), *(c for c in raw.columns if c == "status" and name == "measurements")]]


def _write(folder: Path, got: dict[str, pd.DataFrame]) -> None:
    from ulcermeter.store import csv_text, write_file

    tables = {**got, "confusion": got["confusion"].rename_axis(index="call_a", columns=None).reset_index()}
    for name, frame in tables.items():
        write_file(folder / f"{name}.csv", csv_text(f"agreement/{name}", frame).encode())


# --- words ----------------------------------------------------------------------------------------------------------


def _on_pairs(pairs: pd.DataFrame) -> list[str]:
    both = pairs[pairs["label_a"].notna() & pairs["label_b"].notna()]
    ways = ", ".join(f"{n} by {how}" for how, n in both["paired_by"].value_counts().sort_index().items())
    text = f"{len(both)} ulcer{'' if len(both) == 1 else 's'} in both readings{f' ({ways})' if ways else ''}"
    alone = [f"{int((pairs[f'label_{other}'].isna()).sum())} only in {own.upper()}" for own, other in ("ab", "ba")]
    return [f"{text}, {', '.join(alone)}."]


def _on_readers(counts: pd.DataFrame) -> list[str]:
    """Say how many pairs were read again, and what the others are."""
    read, accepted, machine = (int(counts[f"n_{kind}"][0]) for kind in ("read", "accepted", "machine"))
    if not (read or accepted):
        return [
            "Nobody read either: no column reader of measurements.csv names anybody but the machine. These are two "
            "runs of the machine, and say nothing of reading."
        ] * bool(machine)
    shown = f", {accepted} accepted as shown, counted apart" if accepted else ""
    others = f", {machine} drawn by the machine alone" if machine else ""
    return [f"Of these {read} read again{shown}{others}. What follows is of those read again."]


def _on_photos(a: set[tuple[str, str, str]], b: set[tuple[str, str, str]]) -> list[str]:
    """Say what was left out because one reading alone has it, which may be an ulcer that the other missed."""
    if a == b:
        return []
    return [
        f"Left out are photos that only one reading has: {len(a - b)} only in A, {len(b - a)} only in B. "
        "A photo that was read and showed nothing needs a row with an empty label."
    ]


def _on_sizes(sizes: pd.DataFrame) -> list[str]:
    head = ("", "n", "ICC(2,1) (95 %)", "ICC(3,1) (95 %)", "bias A - B", "95 % limits", "SEM", "SDC")
    rows: list[tuple[str, ...]] = [head]
    for row in sizes.set_index("measure").loc[list(_MEASURES)].to_dict("index").items():
        name, cells = str(row[0]), row[1]
        correlations = [f"{_n(cells[k])} ({_n(cells[k + '_low'])} to {_n(cells[k + '_high'])})" for k in _ICC]
        limits = f"{_n(cells['limit_low'])} to {_n(cells['limit_high'])} (each ± {_n(cells['limit_margin'])})"
        ends = (_n(cells["sem"], 3), _n(cells["smallest_detectable_change"], 3))
        rows.append((_NAMES[name], str(cells["n"]), *correlations, _n(cells["bias"], 3), limits, *ends))
    wide = [max(len(row[k]) for row in rows) for k in range(len(head))]
    return [
        "  ".join(c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, wide, strict=True)))
        for row in rows
    ]


_ICC = ("icc_2_1", "icc_3_1")


def _on_calls(got: dict[str, pd.DataFrame]) -> list[str]:
    calls, overlap = got["calls"].iloc[0], got["overlap"].iloc[0]
    lines = [
        f"Over the threshold (yes, no, uncertain): {_n(100 * calls['alike'], 1)} % of {int(calls['n'])} called alike, "
        f"kappa {_n(calls['kappa'])}, linearly weighted {_n(calls['kappa_linear'])}."
    ]
    if calls["n_with_missed"] > calls["n"]:
        lines.append(
            f"With what one reading alone has, and photos on which neither found any, as a fourth call (none): "
            f"{int(calls['n_with_missed'])} findings, kappa {_n(calls['kappa_with_missed'])}."
        )
    if overlap["n_photos"]:
        lines.append(
            f"Outlines: Dice {_n(overlap['dice_mean'], 3)} on average over {int(overlap['n_photos'])} photos, "
            f"{_n(overlap['dice_pooled'], 3)} of all taken together."
        )
    return lines


def _on_change(got: dict[str, pd.DataFrame]) -> list[str]:
    row = got["sizes"].set_index("measure").to_dict("index")["ln_area"]
    counts = got["counts"].iloc[0]
    if not counts["n_read"] and counts["n_accepted"]:
        return [
            f"Warning: all {counts['n_accepted']} outlines that were read are the same in both readings, as of one "
            "reading given twice or let stand as shown; that measures no error, so no sem_log_area is proposed. Give "
            "two readings made apart."
        ]
    if not counts["n_read"]:
        return ["No reading, so no sem_log_area is proposed: name who read in the column reader of measurements.csv."]
    if not math.isfinite(row["sem"]):
        return ["Too few ulcers in both readings to say what change can be detected."]
    if not row["sem"] > _SAME_READING:
        return [
            f"Warning: the areas of all {int(row['n'])} ulcers are the same in both readings; that measures no error, "
            "so no sem_log_area is proposed. Give two readings made apart."
        ]
    change = row["smallest_detectable_change"]
    more, less = 100 * math.expm1(change), -100 * math.expm1(-change)
    return [
        f"Reading twice explains an area {more:.0f} % larger or {less:.0f} % smaller; only beyond that has it changed.",
        "For a protocol file:",
        "[parameters.sem_log_area]",
        f"value = {row['sem']:.4f}",
        'unit = "ln(mm2)"',
        f'source = "two readings of {int(row["n"])} ulcers of {int(row["n_subjects"])} subjects"',
    ]


def _n(value: float, decimals: int = 2) -> str:
    return "-" if not math.isfinite(value) else f"{value:.{decimals}f}"
