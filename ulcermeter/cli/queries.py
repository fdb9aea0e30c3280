"""``ulcermeter queries``: what a data manager has to ask, and of whom."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with, warn
from ulcermeter.tables.queries import AnsweredBy

__all__ = ["command"]


@click.command(
    name="queries",
    cls=command_with("ulcermeter queries results", "ulcermeter queries results --since monday/queries.csv --of clinic"),
)
@click.argument("results", type=click.Path())
@click.option(
    "--since", type=click.Path(), metavar="QUERIES.csv", help="An earlier list: say what is new, open and answered."
)
@click.option("--of", "who", type=click.Choice(list(map(str, AnsweredBy))), help="Only those that these can answer.")
@clear_errors
def command(results: str, since: str | None, who: str | None) -> None:
    """Print the queries of RESULTS as CSV: every doubt of the study as a question, and who can answer it.

    With --since each row begins with a status: new, open (asked before and still) or answered (asked before and not
    any more). The counts stand on standard error. The columns: ulcermeter describe queries.

    Exit status: 0 printed, 2 the results or the earlier list cannot be read.
    """
    from collections import Counter

    from ulcermeter.queries import STATUSES, compare_queries
    from ulcermeter.store import cell_text, read_table, read_tables

    found = read_tables(results, ["queries"])["queries"]
    if since is not None:
        found = compare_queries(found, since=read_table(since, "queries"))
    if who is not None:
        found = found[found["answered_by"] == who]
    click.echo(found.map(cell_text).to_csv(index=False, lineterminator="\n"), nl=False)
    if since is None:
        warn(f"{len(found)} queries")
    else:
        counts = Counter(found["status"])
        warn(", ".join(f"{counts[status]} {status}" for status in STATUSES))
