"""The command line: thin commands, and the only place that prints.

Exit status: 0 every photo is accounted for; 1 some photo failed; 2 the call or the folder is wrong and nothing was
written. A command's module is loaded when the command is called, and what it needs when it runs.
"""

from __future__ import annotations

import importlib

import click

from ulcermeter import __version__

__all__ = ["COMMANDS", "main"]

# Command name: the line in --help. Each is the object `command` in the module of its name.
COMMANDS = {
    "run": "The main job: every photo of a study to tables, outlines, overlays and a report.",
    "measure": "Measure photos alone; rows on standard output.",
    "check": "Read and validate a study folder, measure nothing.",
    "review": "The reader's page in a browser: look, correct, confirm.",
    "reading": "A list of photos for blinded readers, some shown twice.",
    "adjudicate": "What two readers differ in, shown to a third.",
    "export": "Outlines for other tools: LabelMe, GeoJSON.",
    "queries": "What a data manager has to ask, and of whom.",
    "audit": "The log of readings and decisions, checked and printed.",
    "outcomes": "Outcomes of a results folder, by arm when unblinded.",
    "agreement": "How far two readings of the same photos agree.",
    "validate": "The instrument against phantoms: the error curve and its page.",
    "card": "The printable reference card, true to size.",
    "camera": "A lens profile from photos of the card.",
    "train": "Fine-tune the network on one's own outlined photos.",
    "phantom": "A study of drawn photos with truth.csv.",
    "manual": "The manual, page by page.",
    "describe": "What the columns of a table mean.",
}


class _LazyGroup(click.Group):
    """Commands that are imported when they are called, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command; None where there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"ulcermeter.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from `COMMANDS`, without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_LazyGroup,
    epilog="Example: ulcermeter run sample_images/study -o results",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
@click.version_option(__version__, prog_name="ulcermeter")
def main() -> None:
    """Digital ulcers on visit photos, measured in millimetres with an interval.

    A photograph of a finger beside something of known size goes in; out come the ulcer's outline, its diameter, the
    answer to "over 2 mm: yes, no or cannot tell", its course over the visits, eligibility and outcomes.

    Research use only, not a medical device. Verdicts are proposals; the investigator decides.
    """
