"""``ulcermeter audit``: whether the log of decisions is as it was written, and what stands in it."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from ulcermeter.cli.console import clear_errors, command_with, warn
from ulcermeter.errors import Problem, StudyError

__all__ = ["command"]


@click.command(
    name="audit",
    cls=command_with("ulcermeter audit results > log.csv", "ulcermeter audit results --head 5d0c... > log.csv"),
)
@click.argument("results", type=click.Path())
@click.option("--head", default="", metavar="HASH", help="A head that was kept elsewhere; it must be in the log.")
@clear_errors
def command(results: str, head: str) -> None:
    """Check the log of readings and decisions of RESULTS and print it as CSV.

    Every entry carries the hash of the one before it: an entry that was changed, dropped or put elsewhere is named on
    standard error and in the column fault. A log cut at its end, or written anew as a whole, shows only against a head
    that somebody kept: `review` prints it at its end, and run.json and the report hold it.

    Exit status: 0 the log is as it was written, 1 it is not, 2 there is no such folder or the file is no log.
    """
    from ulcermeter.readings import check_log, log_head, log_table
    from ulcermeter.store import csv_text

    if not Path(results).is_dir():
        raise StudyError(
            Problem(where=results, expected="a results folder", got="no such folder", action="check the path")
        )
    faults = check_log(results, head=head.strip().lower())
    click.echo(csv_text("log", log_table(results)), nl=False)
    for fault in faults:
        where = f"entry {fault.number}" if fault.number else "the log"
        warn(f"{where} {fault.kind}: {fault.got}")
    last, count = log_head(results)
    warn(f"{count} entr{'y' if count == 1 else 'ies'}, head {last}: {'NOT as written' if faults else 'as written'}")
    sys.exit(int(bool(faults)))
