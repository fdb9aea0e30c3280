"""``ulcermeter outcomes``: what became of the ulcers, by arm when unblinded."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import clear_errors, command_with, say, warn
from ulcermeter.errors import Problem, StudyError

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.datatypes import Results, Study
    from ulcermeter.protocol import Protocol

__all__ = ["command"]


@click.command(name="outcomes", cls=command_with("ulcermeter outcomes results --unblind allocation.csv"))
@click.argument("results", type=click.Path())
@click.option(
    "--unblind", type=click.Path(), metavar="allocation.csv", help="Who got what: subject_id, arm, perhaps stratum."
)
@click.option("--counts", is_flag=True, help="With --unblind: print the counts and tests instead.")
@click.option("--reference-arm", default="", metavar="ARM", help="The arm to compare with; the last by name.")
@click.option("--study", type=click.Path(), help="The study folder, where it has moved since the run.")
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    metavar="DIR",
    help="With --unblind: write effects.csv and its counts here too.",
)
@clear_errors
def command(
    *, results: str, unblind: str | None, output: str | None, counts: bool, reference_arm: str, study: str | None
) -> None:
    """Print the outcomes of RESULTS as CSV: a subject a row, or the effects of treatment with --unblind.

    An effect stands with its 95 % interval and p-value: healed by each visit, time to healing, slopes of area, new
    ulcers, by estimand, arm and stratum. Without --unblind nothing here knows an arm.
    """
    from ulcermeter.store import csv_text, read_results

    read = read_results(results)
    if unblind is None:
        click.echo(csv_text("outcomes_by_subject", read.outcomes_by_subject), nl=False)
        return
    tables = _by_arm(read, unblind, counts=counts, reference_arm=reference_arm, study=study)
    if output is not None:
        _write(Path(output), tables)
    say(tables["outcomes_by_arm" if counts else "effects"].rstrip("\n"))


def _by_arm(read: Results, unblind: str, *, counts: bool, reference_arm: str, study: str | None) -> dict[str, str]:
    """Return the tables that know arms, as CSV by name."""
    from ulcermeter.datatypes import Outcomes
    from ulcermeter.outcomes import outcomes_by_arm
    from ulcermeter.outcomes.effects import tabulate_effects
    from ulcermeter.store import cell_text, csv_text, protocol_of
    from ulcermeter.study import read_allocation

    protocol = protocol_of(read.run)
    allocation = read_allocation(unblind)
    outcomes = Outcomes(read.outcomes, read.outcomes_by_subject)
    found: dict[str, str] = {}
    by_arm: pd.DataFrame = outcomes_by_arm(outcomes, allocation, protocol=protocol)
    found["outcomes_by_arm"] = by_arm.map(cell_text).to_csv(index=False, lineterminator="\n")
    if not counts:
        effects = tabulate_effects(
            outcomes, read.trajectories, allocation, protocol=protocol, study=_study(read, study, protocol),
            reference_arm=reference_arm,
        )  # fmt: skip
        found["effects"] = csv_text("effects", effects)
    return found


def _study(read: Results, given: str | None, protocol: Protocol) -> Study | None:
    """Read the study that the results are of; None, with a line that says so, where it is no longer there."""
    from ulcermeter.study import read_study

    folder = given or read.run.get("parameters", {}).get("study", "")
    if given is None and not (folder and Path(folder).is_dir()):
        warn(
            f"{folder or 'study'}: the study folder is not here, so rescue, amputations and deaths in its events.csv "
            "are not known; name it with --study."
        )
        return None
    study = read_study(folder, protocol=protocol)
    if set(study.photos["photo"]) != set(read.photos["photo"]):
        expected = "the study folder of these results"
        raise StudyError(Problem("one with other photos", expected, "name it with --study", str(folder)))
    return study


def _write(folder: Path, tables: dict[str, str]) -> None:
    from ulcermeter.store import write_file

    for name, text in tables.items():
        write_file(folder / f"{name}.csv", text.encode())
