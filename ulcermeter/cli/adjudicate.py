"""``ulcermeter adjudicate``: what two readers differ in, to a third."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with
from ulcermeter.cli.review import read_in_browser

__all__ = ["command"]


@click.command(name="adjudicate", cls=command_with("ulcermeter adjudicate results --reader R3"))
@click.argument("results", type=click.Path())
@click.option("--reader", required=True, help="Name or code of who settles it.")
@click.option("--study", type=click.Path(), help="Where the study is now; where the run found it, without this.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; any free one without this.")
@click.option("--no-browser", is_flag=True, help="Print the page's address and open nothing.")
@clear_errors
def command(*, results: str, reader: str, study: str | None, port: int, no_browser: bool) -> None:
    """Show a third reader the photos of RESULTS that two readers differ in, with the outlines of both.

    They differ where they see other ulcers, give another answer at the threshold, or diameters that are further apart
    than the protocol's reader_boundary_sd_mm explains. Who drew which is not said. Keys 1 and 2 take a reading as it
    is; every other key of `review` draws a third. What is settled so stands in measurements.csv.

    Exit status: 0 ended, 2 the folder or call is wrong.
    """
    read_in_browser(results, reader=reader, study=study, port=port, browser=not no_browser, adjudicating=True)
