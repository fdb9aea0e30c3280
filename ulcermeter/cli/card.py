"""``ulcermeter card``: the printable reference card."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with, say

__all__ = ["command"]


@click.command(name="card", cls=command_with("ulcermeter card card.pdf", "ulcermeter card card.pdf --paper letter"))
@click.argument("out", type=click.Path())
@click.option(
    "--paper", type=click.Choice(["a4", "letter"], case_sensitive=False), default="a4", show_default=True, help="Size."
)
@clear_errors
def command(out: str, paper: str) -> None:
    """Write the printable reference card to OUT, a PDF that is true to size.

    Print it at 100 % and check the 100 mm bar with a ruler before the card is used. Research use only, not a medical
    device.
    """
    from ulcermeter.calibration.card.print import write_card

    say(f"{write_card(out, paper=paper)}: print at 100 %, and check that the bar is 100 mm long")
