"""``ulcermeter phantom``: photos whose truth is known."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with, progress_bar, say

__all__ = ["command"]


@click.command(
    name="phantom", cls=command_with("ulcermeter phantom drawn --subjects 4", "ulcermeter run drawn -o drawn_results")
)
@click.argument("out", type=click.Path())
@click.option("--subjects", type=click.IntRange(min=1), default=4, show_default=True, help="How many.")
@click.option("--reference", type=click.Choice(["aruco", "disc", "id1", "ruler"]), default="aruco", help="Kind.")
@click.option("--reference-on", type=click.Choice(["skin", "table"]), default="skin", show_default=True, help="Where.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed draws the same photos.")
@clear_errors
def command(out: str, subjects: int, reference: str, reference_on: str, seed: int) -> None:
    """Draw a study of phantoms into OUT: photos, photos.csv and truth.csv.

    A phantom is a drawn finger with an ulcer of known size beside a marker, seen by a camera; nothing on it was
    measured to make its truth.
    """
    from ulcermeter.phantom.study import USUAL_VISITS, write_study

    drawn: list[str] = []
    total = subjects * len(USUAL_VISITS)
    with progress_bar("phantoms") as moved:

        def on_photo(name: str) -> None:
            drawn.append(name)
            moved(len(drawn), total, name)

        write_study(
            out,
            n_subjects=subjects,
            visits=USUAL_VISITS,
            seed=seed,
            reference=reference,
            place=reference_on,
            on_photo=on_photo,
        )
    say(f"{len(drawn)} photos, photos.csv, subjects.csv and truth.csv: {out}")
