"""One self-contained HTML page about a study: for reading, printing and deciding; no network, no script."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from ulcermeter.datatypes import Results, Study
from ulcermeter.report.content import gather
from ulcermeter.report.formatting import FILTERS
from ulcermeter.store import write_file

__all__ = ["write_report"]


def write_report(study: Study, results: Results, out: Path) -> Path:
    """Write the report of a run.

    Parameters
    ----------
    study : Study
        Its folder's name and protocol stand in the report.
    results : Results
        The tables; overlays are read from ``results.root / "overlays"``, and one that is not there is left out.
    out : Path
        The HTML file. It is written whole or not at all.

    Returns
    -------
    Path
        `out`. The same inputs give the same bytes: the times of the run stay in run.json.
    """
    import jinja2

    source = (resources.files("ulcermeter") / "templates" / "report.html").read_text(encoding="utf-8")
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(FILTERS)
    html = environment.from_string(source).render(**gather(study, results))
    write_file(Path(out), (html + "\n").encode())
    return Path(out)
