"""What commands share of talking: one clear message for an error, progress, log lines, notes at the end of a help."""

from __future__ import annotations

import functools
import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from ulcermeter.cli.pace import Pace
from ulcermeter.errors import Problem, StudyError, UlcermeterError, UnfinishedError
from ulcermeter.isolation import Limits

__all__ = [
    "NOTE",
    "JsonLines",
    "Progress",
    "clear_errors",
    "command_with",
    "folder_for",
    "limit_options",
    "model_options",
    "progress_bar",
    "say",
    "saying_what_is_kept",
    "set_up_logging",
    "warn",
]

NOTE = "Research use only, not a medical device; verdicts are proposals, the investigator decides."
Progress = Callable[[int, int, object], None]
"""Called with how many are done, how many there are, and the result of the last; None where measuring begins."""
_Command = TypeVar("_Command", bound=Callable[..., Any])


def command_with(*example: str) -> type[click.Command]:
    """Return a kind of command whose help ends with an example and the note on what this is for.

    Parameters
    ----------
    *example : str
        The example's lines.

    Returns
    -------
    type of click.Command
    """

    class Command(click.Command):
        def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
            with formatter.section("Example"):
                for line in example:
                    formatter.write(f"{'':>{formatter.current_indent}}{line}\n")
            formatter.write_paragraph()
            formatter.write_text(NOTE)

    return Command


def say(text: str) -> None:
    """Print a line for the person, or of data, on standard output.

    Parameters
    ----------
    text : str
        Without the line feed at its end.
    """
    click.echo(text)


def warn(text: str, *, level: str = "warning") -> None:
    """Print a line on standard error; a JSON object where the command was called with --log-json.

    Parameters
    ----------
    text : str
        Without the line feed at its end.
    level : str, optional
        Of the JSON object.
    """
    context = click.get_current_context(silent=True)
    if context is not None and context.params.get("log_json"):
        text = json.dumps({"level": level, "event": text, "logger": "ulcermeter"}, ensure_ascii=False)
    click.echo(text, err=True)


def clear_errors(command: _Command) -> _Command:
    """Turn an error that ulcermeter raises on purpose into its message and exit status 2, without a traceback.

    1 where a run could not be finished and what was measured is kept (`UnfinishedError`). A folder that cannot be
    written and a file that is a folder are told so too, with 2: nothing of ours is at fault. 130 where it was
    stopped by Ctrl-C, 143 by SIGTERM, once all processes it had started are ended.

    Parameters
    ----------
    command : callable
        A command as click decorates it.

    Returns
    -------
    callable
        With the same name, help and parameters.
    """

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        # Before numpy is loaded: one thread a process, so that numbers do not depend on how many run.
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
            os.environ.setdefault(name, "1")
        try:
            with _ending_in_order():
                return command(*args, **kwargs)
        except KeyboardInterrupt as stopped:
            warn("Stopped.")
            sys.exit(143 if isinstance(stopped, _Terminated) else 130)
        except UlcermeterError as error:
            warn(f"Error: {error}", level="error")
            sys.exit(1 if isinstance(error, UnfinishedError) else 2)
        except BrokenPipeError:
            raise  # click ends quietly when the reader of standard output has gone
        except OSError as error:
            problem = f"{error.filename or 'a file'}: expected to read or write here, got: {error.strerror or error}."
            warn(f"Error: {problem}", level="error")
            sys.exit(2)

    return wrapped  # type: ignore[return-value]


class _Terminated(KeyboardInterrupt):
    """SIGTERM, as another Ctrl-C: what is open is closed on the way out."""


@contextmanager
def _ending_in_order() -> Iterator[None]:
    """Take SIGTERM for Ctrl-C, which otherwise ends a process in the midst of what it does."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise _Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def saying_what_is_kept(folder: str, what: str, moved: Progress) -> Iterator[Progress]:
    """Yield a progress callback that also counts; one who stops the command is told what is kept and how to go on.

    Parameters
    ----------
    folder : str
        Where it is kept, as the person called it.
    what : str
        What is counted, in the plural, such as ``photo rows``.
    moved : callable
        Called after each.

    Yields
    ------
    callable
    """
    counted = (0, 0)

    def count(done: int, total: int, result: object) -> None:
        nonlocal counted
        counted = done, total
        moved(done, total, result)

    try:
        yield count
    except KeyboardInterrupt:
        done, total = counted
        kept = f"{done} of {total} {what} are measured and kept" if done else f"none of the {what} was measured yet"
        warn(f"{folder}: {kept}; call the same command again to go on: nothing is measured twice.")
        raise


def folder_for(given: str | None, *, what: str) -> Path | None:
    """Return a folder to write in, None for none; refused at once when it is a file, before anything is computed.

    Parameters
    ----------
    given : str or None
        As the person wrote it.
    what : str
        What will stand in it, in the plural, such as ``tables``.

    Returns
    -------
    Path or None

    Raises
    ------
    StudyError
        It is a file.
    """
    if given is None:
        return None
    folder = Path(given)
    if folder.exists() and not folder.is_dir():
        raise StudyError(
            Problem(where=str(given), expected=f"a folder for the {what}", got="a file", action="choose another name")
        )
    return folder


def model_options(command: _Command) -> _Command:
    """Add --protocol, --model and --camera.

    Parameters
    ----------
    command : callable
        A command as click decorates it.

    Returns
    -------
    callable
    """
    for option in (
        click.option(
            "--camera", type=click.Path(), metavar="CAMERA.toml", help="Lens profile from `ulcermeter camera`."
        ),
        click.option("--model", type=click.Path(), metavar="MODEL.onnx", help="Another segmentation network."),
        click.option("--protocol", metavar="NAME|FILE", help="A shipped protocol (manus) or a TOML file."),
    ):
        command = option(command)
    return command


def limit_options(command: _Command) -> _Command:
    """Add --photo-time-limit-s and --photo-memory-limit-mb.

    Parameters
    ----------
    command : callable
        A command as click decorates it.

    Returns
    -------
    callable
    """
    for option in (
        click.option(
            "--photo-memory-limit-mb",
            type=click.FloatRange(min=500),
            default=Limits.memory_mb,
            show_default=True,
            help="Memory that one photo may take, million bytes (Linux); past it the photo fails.",
        ),
        click.option(
            "--photo-time-limit-s",
            type=click.FloatRange(min=1),
            default=Limits.time_s,
            show_default=True,
            help="Computing that one photo may take, s (five times that by the clock); past it the photo fails.",
        ),
    ):
        command = option(command)
    return command


class JsonLines(logging.Handler):
    """Log records as one JSON object a line on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        event = {"level": record.levelname.lower(), "event": record.getMessage(), "logger": record.name}
        event |= getattr(record, "fields", {})
        if record.exc_info:
            event["traceback"] = logging.Formatter().formatException(record.exc_info)
        click.echo(json.dumps(event, ensure_ascii=False, default=str), err=True)


def set_up_logging(*, as_json: bool, verbose: bool = False) -> None:
    """Send ulcermeter's log to standard error: warnings as text, or everything as JSON lines.

    Parameters
    ----------
    as_json : bool
        JSON lines of everything.
    verbose : bool, optional
        Everything as text.
    """
    logger = logging.getLogger("ulcermeter")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
    handler = JsonLines() if as_json else logging.StreamHandler(sys.stderr)
    if not as_json:
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.INFO if as_json or verbose else logging.WARNING)


@contextmanager
def progress_bar(unit: str) -> Iterator[Progress]:
    """Yield a callback (done, total, result) that moves a bar on standard error, when that is a terminal.

    Parameters
    ----------
    unit : str
        What is counted, in the plural.

    Yields
    ------
    callable
    """
    if not sys.stderr.isatty():
        yield lambda done, total, result: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[pace]}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task, pace = bar.add_task(unit, total=None, pace=""), Pace()

        def move(done: int, total: int, result: object) -> None:
            pace.note(done, total, result)
            bar.update(task, completed=done, total=total, pace=str(pace))

        yield move
