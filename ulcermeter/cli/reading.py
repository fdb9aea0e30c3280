"""``ulcermeter reading``: a list of photos for blinded readers."""

from __future__ import annotations

from pathlib import Path

import click

from ulcermeter.cli.console import NOTE, clear_errors, command_with, say
from ulcermeter.errors import Problem, StudyError

__all__ = ["command"]


def _share(context: click.Context, parameter: click.Parameter, text: str) -> float:
    """Read 10% or 0.1."""
    try:
        value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise click.BadParameter(f"expected a share such as 10%, got '{text}'")
    return value


@click.command(
    name="reading",
    cls=command_with(
        "ulcermeter reading results --readers R1,R2 --repeat 10%", "ulcermeter review results --reader R1"
    ),
)
@click.argument("results", type=click.Path())
@click.option("--readers", required=True, metavar="R1,R2", help="Who reads, parted by commas.")
@click.option("--repeat", default="10%", show_default=True, callback=_share, help="Share of photos shown twice.")
@click.option(
    "--outlines",
    type=click.Choice(["none", "machine"]),
    default="none",
    show_default=True,
    help="Whether readers see the machine's outlines or draw their own.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Of the shuffle.")
@click.option("--replace", is_flag=True, help="Make a new list in the place of one that is there.")
@clear_errors
def command(*, results: str, readers: str, repeat: float, outlines: str, seed: int, replace: bool) -> None:
    """Make a reading list of RESULTS: its photos shuffled over subjects and visits, some shown twice.

    A reader whom the list names reads it in `ulcermeter review RESULTS --reader R1`: file names, dates, subjects,
    visits, other photos and what others read are neither shown nor served. The list itself, reading_list.json, tells
    which photo is which: keep it from the readers. Photos that were refused or failed are not on it.

    Exit status: 0 written, 2 the folder or call is wrong, or a list is there already.
    """
    from ulcermeter.review import LIST_FILE, make_list, write_list
    from ulcermeter.store import KeptResults
    from ulcermeter.tables.cells import PASSED

    names = [name.strip() for name in readers.split(",") if name.strip()]
    if not names or len(set(names)) < len(names):
        raise StudyError(Problem(where="--readers", expected="names, each once, such as R1,R2", got=f"'{readers}'"))
    path = Path(results) / LIST_FILE
    if path.exists() and not replace:
        raise StudyError(
            Problem(
                where=str(path),
                expected="no reading list yet",
                got="one, which readers may have begun",
                action="read that, or say --replace",
            )
        )
    photos = [result.photo for _, result in KeptResults(results).results() if result.photo["status"] in PASSED]
    places = list(dict.fromkeys((p["photo"], p["hand"], p["finger"]) for p in photos))
    made = make_list(places, readers=names, repeat=repeat, outlines=outlines, seed=seed)
    write_list(Path(results), made)
    say(f"{len(places)} photos, {len(made.items) - len(places)} of them twice, for {', '.join(names)}: {path}")
    for name in names:
        say(f"    ulcermeter review {results} --reader {name}")
    say(NOTE)
