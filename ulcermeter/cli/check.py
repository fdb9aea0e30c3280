"""``ulcermeter check``: a study folder and its protocol, without measuring."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from ulcermeter.cli.console import clear_errors, command_with, limit_options, progress_bar, say, warn
from ulcermeter.isolation import Limits

if TYPE_CHECKING:
    from ulcermeter.datatypes import Finding, Study
    from ulcermeter.study import StudyCheck

__all__ = ["command"]


@click.command(name="check", cls=command_with("ulcermeter check sample_images/study"))
@click.argument("study", type=click.Path(), required=False)
@click.option("--protocol", metavar="NAME|FILE", help="A shipped protocol or a TOML file, explained in sentences.")
@click.option("--tables-only", is_flag=True, help="Do not open the photos.")
@limit_options
@clear_errors
def command(
    study: str | None, protocol: str | None, tables_only: bool, photo_time_limit_s: float, photo_memory_limit_mb: float
) -> None:
    """Read and validate STUDY and its protocol; measure nothing, write nothing.

    Tells all faults of all files at once, which photos would fail, and what looks wrong but stops nothing.

    With --protocol and no STUDY only that protocol is checked and explained.

    Exit status: 0 a run can start, 1 it can but some photo would fail, 2 there are faults.
    """
    from ulcermeter.datatypes import Kind
    from ulcermeter.protocol import read_protocol
    from ulcermeter.study import check_study
    from ulcermeter.wording import protocol_in_words

    if study is None:
        if protocol is None:
            raise click.UsageError("Missing argument 'STUDY', or --protocol to explain one.")
        say("\n".join(protocol_in_words(read_protocol(protocol))))
        return
    limits = Limits(photo_time_limit_s, photo_memory_limit_mb)
    found = check_study(study, protocol=protocol)
    opened = [] if tables_only or found.as_read is None else _open(found.as_read, limits)
    failing = [finding for finding in opened if finding.kind is Kind.WOULD_FAIL]
    n_warnings = len(found.warnings) + len(opened) - len(failing)
    _print_problems(found, opened)
    if found.study is None:
        say(f"{len(found.faults)} fault(s), {n_warnings} warning(s): mend the faults before a run.")
        sys.exit(2)
    photos, rules = found.study.photos, found.study.protocol
    if protocol is not None:
        say("\n".join(protocol_in_words(rules)))
    say(f"{len(photos)} photo rows of {photos['subject_id'].nunique()} subjects; protocol {rules.name}.")
    say(f"No faults, {n_warnings} warning(s), {len(failing)} photo row(s) that would fail.")
    sys.exit(1 if failing else 0)


def _print_problems(found: StudyCheck, opened: list[Finding]) -> None:
    """Print what was found in the tables, then what opening the photos found."""
    from ulcermeter.datatypes import Kind, Severity
    from ulcermeter.wording import finding_in_words

    in_tables = sorted(found.findings, key=lambda finding: finding.severity is Severity.FAULT)
    in_photos = sorted(opened, key=lambda finding: finding.kind is not Kind.WOULD_FAIL)
    for finding in (*in_tables, *in_photos):
        label = "would fail" if finding.kind is Kind.WOULD_FAIL else finding.severity
        warn(f"{label}: {finding_in_words(finding)}")


def _open(study: Study, limits: Limits) -> list[Finding]:
    from ulcermeter.study import open_photos

    with progress_bar("photos opened") as moved:
        return open_photos(study, limits=limits, progress=moved)
