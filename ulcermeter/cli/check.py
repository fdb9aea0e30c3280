"""``ulcermeter check``: a study folder and its protocol, without measuring."""

from __future__ import annotations

import sys

import click

from ulcermeter.cli.talk import clear_errors, command_with, say, warn

__all__ = ["command"]


@click.command(name="check", cls=command_with("ulcermeter check sample_images/study"))
@click.argument("study", type=click.Path())
@click.option("--protocol", metavar="NAME|FILE", help="A shipped protocol (manus) or a TOML file.")
@clear_errors
def command(study: str, protocol: str | None) -> None:
    """Read and validate STUDY and its protocol; measure nothing, write nothing.

    Tells all faults of all files at once, and what looks wrong but stops nothing. Photos are looked for but not opened.

    Exit status: 0 a run can start, 2 there are faults.
    """
    from ulcermeter.study import check_study

    found = check_study(study, protocol=protocol)
    for warning in found.warnings:
        warn(f"warning: {warning}")
    for fault in found.faults:
        warn(f"fault: {fault}")
    if found.study is None:
        say(f"{len(found.faults)} fault(s), {len(found.warnings)} warning(s): mend the faults before a run.")
        sys.exit(2)
    photos, rules = found.study.photos, found.study.protocol
    say(f"{len(photos)} photo rows of {photos['subject_id'].nunique()} subjects; protocol {rules.name}.")
    say(f"No faults, {len(found.warnings)} warning(s).")
