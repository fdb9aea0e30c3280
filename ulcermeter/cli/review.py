"""``ulcermeter review``: the reader's page in a browser."""

from __future__ import annotations

from contextlib import suppress

import click

from ulcermeter.cli.console import NOTE, clear_errors, command_with, say, set_up_logging

__all__ = ["command", "read_in_browser"]


@click.command(name="review", cls=command_with("ulcermeter review results --reader R1"))
@click.argument("results", type=click.Path())
@click.option("--reader", required=True, help="Name or code of who reads; it names, it does not authenticate.")
@click.option("--study", type=click.Path(), help="Where the study is now; where the run found it, without this.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Of the page; any free one without this.")
@click.option("--no-browser", is_flag=True, help="Print the page's address and open nothing.")
@clear_errors
def command(*, results: str, reader: str, study: str | None, port: int, no_browser: bool) -> None:
    """Look through RESULTS in the browser: accept, correct or draw outlines, say healed, covered or no ulcer.

    The page is served on this machine alone, and nothing is asked of the internet. Every finished edit is in the log
    at once; tables and report follow, without measuring a photo again. A reader whom a reading list names
    (`ulcermeter reading`) reads that, blinded. Ctrl-C ends it and prints the log's head: keep that elsewhere, it shows
    later that nothing was cut off.

    Exit status: 0 ended, 2 the folder or call is wrong.
    """
    read_in_browser(results, reader=reader, study=study, port=port, browser=not no_browser)


def read_in_browser(
    results: str, *, reader: str, study: str | None, port: int, browser: bool, adjudicating: bool = False
) -> None:
    """Serve the page until it is ended, then write the tables and print the log's head.

    Parameters
    ----------
    results : str
        The results folder.
    reader : str
        Who reads.
    study : str or None
        The study folder, where it has moved since the run.
    port : int
        Of this machine; 0 for any that is free.
    browser : bool
        Open the page in a browser.
    adjudicating : bool
        Show what two readers differ in instead of a list.
    """
    set_up_logging(as_json=False)
    from ulcermeter.readings import log_head
    from ulcermeter.review import TablesAfter, need_server, open_session, serve

    need_server()
    session = open_session(results, reader=reader, study=study, adjudicating=adjudicating)
    tables = TablesAfter(session.root, study)

    def opened(address: str) -> None:
        say(f"{len(session.items)} to read: {address}")
        say("Ctrl-C ends it; what was read is kept.")
        if tables.are_behind():
            tables.changed()
        if browser:
            click.launch(address)

    try:
        with suppress(KeyboardInterrupt):
            serve(session, port=port, opened=opened, after_save=tables.changed)
    finally:
        # The head first: tables can be written again, on a disk with room.
        head, count = log_head(session.root)
        say(f"The log has {count} entr{'y' if count == 1 else 'ies'}; its head, to be kept elsewhere: {head}")
        if tables.are_behind():
            say("Writing tables and report ...")
            tables.end()
        say(NOTE)
