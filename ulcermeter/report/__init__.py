"""HTML pages about a study, an overview and one for each subject, to read, print and decide: no network, no script."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from importlib import resources
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from ulcermeter.datatypes import Results, Study
from ulcermeter.report.content import gather
from ulcermeter.report.formatting import FILTERS
from ulcermeter.report.subjects import Subjects
from ulcermeter.store import PAGES, page_name, remove_pages, write_changed, write_file

if TYPE_CHECKING:
    import jinja2

__all__ = ["write_report"]


def write_report(
    study: Study,
    results: Results,
    out: Path,
    *,
    single_file: bool = False,
    labels: Mapping[str, Collection[int]] | None = None,
) -> Path:
    """Write the report of a run: an overview, and for each subject a page beside it in ``report/``.

    Parameters
    ----------
    study : Study
        Its folder's name and protocol stand in the report.
    results : Results
        The tables; pictures are those of ``results.root / "report" / "pictures"``, and one that is not there is left
        out.
    out : Path
        The overview's HTML file. Each file is written whole or not at all.
    single_file : bool
        Put all subjects and pictures into that one file, which one can mail: for small studies.
    labels : mapping of str to collection of int, optional
        See `ulcermeter.report.subjects.Subjects`.

    Returns
    -------
    Path
        `out`. The same inputs give the same bytes: the times of the run stay in run.json.
    """
    environment = _environment()
    shared = {"study": study.root.resolve().name, "style": _template("report.css"), **gather(study, results)}
    subjects = Subjects(study, results, inside=single_file, labels=labels)
    pages = {} if single_file else _page_names(subjects.names)
    folder = Path(out).parent / PAGES
    _write_pages(environment, shared, subjects, pages, folder)
    remove_pages(folder, keep=pages.values())
    links = {name: f"{PAGES}/{quote(page)}" for name, page in pages.items()}
    links |= {name: f"#{subjects.anchor(name)}" for name in subjects.names if single_file}
    articles = (subjects.of(name) for name in subjects.names) if single_file else None
    overview = environment.get_template("report.html")
    html = overview.render(**shared, subjects=subjects.overview(), links=links, articles=articles)
    write_file(Path(out), (html + "\n").encode())
    return Path(out)


def _environment() -> jinja2.Environment:
    import jinja2

    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_template),
    )
    environment.filters.update(FILTERS)
    return environment


def _template(name: str) -> str:
    return (resources.files("ulcermeter") / "templates" / name).read_text(encoding="utf-8")


def _page_names(subjects: Iterable[str]) -> dict[str, str]:
    """Return each subject's page; names that only large letters tell apart, which some disks cannot, get a number."""
    pages: dict[str, str] = {}
    taken: set[str] = set()
    for subject in subjects:
        nth = next(n for n in count() if page_name(subject, n).lower() not in taken)
        pages[subject] = page_name(subject, nth)
        taken.add(pages[subject].lower())
    return pages


def _write_pages(
    environment: jinja2.Environment,
    shared: Mapping[str, object],
    subjects: Subjects,
    pages: Mapping[str, str],
    folder: Path,
) -> None:
    """Write a page a subject, one after the other."""
    template = environment.get_template("subject.html")
    beside = [None, *({"id": subject, "link": quote(page)} for subject, page in pages.items()), None]
    for (subject, page), before, after in zip(pages.items(), beside, beside[2:], strict=False):
        html = template.render(**shared, subject=subjects.of(subject), before=before, after=after)
        write_changed(folder / page, (html + "\n").encode())
