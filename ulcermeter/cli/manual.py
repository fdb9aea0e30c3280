"""``ulcermeter manual``: the pages that users read."""

from __future__ import annotations

import sys

import click

from ulcermeter.cli.console import clear_errors, command_with, say
from ulcermeter.cli.lookup import unknown_name

__all__ = ["command"]


@click.command(name="manual", cls=command_with("ulcermeter manual", "ulcermeter manual photographing"))
@click.argument("topic", required=False)
@clear_errors
def command(topic: str | None) -> None:
    """Print the manual's page on TOPIC; without one, list the topics.

    Laid out for reading on a terminal, as plain Markdown elsewhere.

    Exit status: 0 printed, 2 no such topic.
    """
    from ulcermeter.manual import TOPICS, read_topic

    if topic is None:
        say(_topics(TOPICS))
        return
    name = topic.casefold().removesuffix(".md")
    if name not in TOPICS:
        raise unknown_name("topic", topic, TOPICS, listed_by="ulcermeter manual")
    _show(read_topic(name))


def _topics(topics: dict[str, str]) -> str:
    formatter = click.HelpFormatter(width=100)
    with formatter.section("ulcermeter manual TOPIC"):
        formatter.write_dl(list(topics.items()))
    return formatter.getvalue().rstrip()


def _show(page: str) -> None:
    if not sys.stdout.isatty():
        say(page.rstrip())
        return
    from rich.console import Console
    from rich.markdown import Markdown

    Console().print(Markdown(page))
