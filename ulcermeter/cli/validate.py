"""``ulcermeter validate``: the instrument against phantoms."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import (
    NOTE,
    clear_errors,
    command_with,
    progress_bar,
    say,
    saying_what_is_kept,
    set_up_logging,
    warn,
)

if TYPE_CHECKING:
    from ulcermeter.validation import Target, Validation

__all__ = ["command"]


@click.command(name="validate", cls=command_with("ulcermeter validate --size full --jobs 2 -o validation"))
@click.option("-o", "--out", default="validation", show_default=True, type=click.Path(), help="The folder to write.")
@click.option("--size", type=click.Choice(["small", "full"]), default="small", show_default=True, help="How many.")
@click.option("--jobs", type=click.IntRange(min=1), default=1, show_default=True, help="Processes at once.")
@click.option("--protocol", metavar="NAME|FILE", help="A shipped protocol (manus) or a TOML file.")
@click.option("--model", type=click.Path(), metavar="MODEL.onnx", help="Another segmentation network.")
@clear_errors
def command(out: str, size: str, jobs: int, protocol: str | None, model: str | None) -> None:
    """Measure drawn photos of known truth; tables, figures and validation.html.

    Small takes about a minute and shows that everything is in place; full takes about a quarter of an hour with two
    processes and says how large the error is. A run that was stopped goes on where it was.

    Exit status: 0 every phantom is accounted for, 1 some failed by a fault of ours, 2 the call is wrong.
    """
    set_up_logging(as_json=False)
    from ulcermeter.validation import validate

    with progress_bar("phantoms") as bar, saying_what_is_kept(out, "phantoms", bar) as moved:
        found = validate(
            out, size=size, protocol=protocol, model=model, jobs=jobs, progress=moved, command=sys.argv
        )  # fmt: skip
    for target in found.targets:
        say(_line(target))
    say(f"{found.phantoms['phantom'].nunique()} phantoms: {Path(out) / 'validation.html'}")
    say(NOTE)
    sys.exit(_failed(found))


def _line(target: Target) -> str:
    sign = {"yes": "met    ", "no": "NOT met", "unknown": "unknown"}[target.met]
    reached = "-" if math.isnan(target.value) else f"{target.value:.3f}"
    between = "" if math.isnan(target.low) else f" ({target.low:.3f} to {target.high:.3f})"
    return f"{sign}  {target.of}: {target.text}; reached {reached}{between}, n {target.n}"


def _failed(found: Validation) -> int:
    """Name every phantom that failed; a refusal is a result."""
    failed = found.phantoms[found.phantoms["status"] == "failed"]
    for row in failed.to_dict("records"):
        warn(f"failed: {row['phantom']}: {row['reason']}")
    return int(bool(len(failed)))
