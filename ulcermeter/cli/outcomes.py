"""``ulcermeter outcomes``: what became of the ulcers, by arm when unblinded."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with, say

__all__ = ["command"]


@click.command(name="outcomes", cls=command_with("ulcermeter outcomes results --unblind allocation.csv"))
@click.argument("results", type=click.Path())
@click.option("--unblind", type=click.Path(), metavar="allocation.csv", help="Who got what: subject_id, arm.")
@clear_errors
def command(results: str, unblind: str | None) -> None:
    """Print the outcomes of RESULTS as CSV: a subject a row, or by arm with --unblind.

    Without --unblind nothing here knows an arm.
    """
    from ulcermeter.store import csv_text, protocol_of, read_results

    read = read_results(results)
    if unblind is None:
        click.echo(csv_text("outcomes_by_subject", read.outcomes_by_subject), nl=False)
        return
    from ulcermeter.datatypes import Outcomes
    from ulcermeter.outcomes import outcomes_by_arm
    from ulcermeter.store import cell_text
    from ulcermeter.study import read_allocation

    outcomes = Outcomes(read.outcomes, read.outcomes_by_subject)
    by_arm = outcomes_by_arm(outcomes, read_allocation(unblind), protocol=protocol_of(read.run))
    say(by_arm.map(cell_text).to_csv(index=False, lineterminator="\n").rstrip("\n"))
