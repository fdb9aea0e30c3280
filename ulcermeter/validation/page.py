"""One self-contained page about a validation, in the report's style: no network, no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.report.formatting import FILTERS
from ulcermeter.store import write_file

if TYPE_CHECKING:
    import pandas as pd

    from ulcermeter.validation.targets import Target

__all__ = ["write_page"]


def write_page(
    out: str | Path,
    *,
    phantoms: pd.DataFrame,
    summary: pd.DataFrame,
    targets: tuple[Target, ...],
    figures: Mapping[str, str],
    made_by: Sequence[tuple[str, str]],
) -> Path:
    """Write validation.html; the same tables and figures give the same bytes.

    Parameters
    ----------
    out : str or Path
    phantoms, summary : DataFrame
        Tables ``validation/phantoms`` and ``validation/summary``.
    targets : tuple of Target
    figures : mapping of str to str
        SVG by name: error, bland_altman, calls, coverage.
    made_by : sequence of (str, str)
        What the page names of the run: name and value.

    Returns
    -------
    Path
        The page.
    """
    import jinja2

    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters.update(FILTERS)
    # The report's own style, so that both pages stay alike.
    style = _template("report.css")
    cells = [{str(k): v for k, v in row.items()} for row in summary.to_dict("records")]
    html = environment.from_string(_template("validation.html")).render(
        style=style,
        targets=targets,
        figures={name: _as_data(svg) for name, svg in figures.items()},
        cells=cells,
        overall=next((c for c in cells if c["factor"] == "all" and c["mode"] == "instrument"), None),
        reasons=_reasons(phantoms),
        n_phantoms=phantoms["phantom"].nunique(),
        run=made_by,
    )
    write_file(Path(out), (html + "\n").encode())
    return Path(out)


def _template(name: str) -> str:
    return (resources.files("ulcermeter") / "templates" / name).read_text(encoding="utf-8")


def _as_data(svg: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


def _reasons(phantoms: pd.DataFrame) -> list[tuple[str, int]]:
    """Return what refused photos were told to do, without their own numbers, and how often."""
    refused = phantoms[(phantoms["status"] == "refused") & (phantoms["mode"] == "instrument")]
    reasons = refused["reason"].str.split(";").str[0].str.replace(r"\d+(\.\d+)?", "…", regex=True)
    return [(str(text), int(count)) for text, count in reasons.value_counts().items()]
