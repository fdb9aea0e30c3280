"""The card as a PDF, true to size.

Places and sizes that are written where a thing is drawn are mm on the page (type: points), chosen by eye.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.calibration.card.layout import CARD_MM, OPENING_MM, Shape, card_shapes
from ulcermeter.errors import Problem, Refusal
from ulcermeter.files import write_file

if TYPE_CHECKING:
    from fpdf import FPDF

__all__ = ["BAR_MM", "PAPERS_MM", "card_place_mm", "write_card"]

PAPERS_MM = {"a4": (210.0, 297.0), "letter": (215.9, 279.4)}
"""Width and height of the papers, mm."""
BAR_MM = 100.0
"""Length of the bar that checks the printer, mm."""
_TOP_MM = 34.0
"""Of the card on the page, mm: below the heading."""
_PT_PER_MM = 72 / 25.4
"""Points are 1/72 inch."""
_CREATED = datetime(2024, 1, 1, tzinfo=UTC)
"""Date in the file, any fixed one: the same card gives the same bytes."""
_CAPITAL = 0.72
"""Height of Helvetica's capitals over its size."""
_STEPS = (
    'Print at 100 % ("actual size"), on matt white paper or thin card stock; no "fit to page".',
    "Measure the bar above with a ruler: it must be 100 mm long, to half a millimetre.",
    "Cut along the outline, and cut the opening out. Keep the card flat; throw it away when it is worn or wet.",
    "Lay the finger in the opening so that the ulcer lies inside it, and hold the card level with the ulcer.",
    "Hold the phone parallel to the card, about 20 cm away, without flash and in even light. The whole card should be "
    "in the photo and sharp. Tap on the ulcer to focus.",
    "One card for each subject; wipe or replace it between subjects. In photos.csv write  card  under reference.",
)


def card_place_mm(paper: str) -> tuple[float, float]:
    """Return where on the page (x, y, mm) the card's upper left corner lies.

    Parameters
    ----------
    paper : str
        A key of `PAPERS_MM`: ``a4`` or ``letter``.

    Returns
    -------
    (float, float)
        x and y, mm from the page's upper left.
    """
    return (PAPERS_MM[paper][0] - CARD_MM[0]) / 2, _TOP_MM


def write_card(path: str | Path, *, paper: str = "A4") -> Path:
    """Write the printable card.

    Parameters
    ----------
    path : str or Path
        Of the PDF.
    paper : {'A4', 'Letter'}

    Returns
    -------
    Path

    Raises
    ------
    Refusal
        Another paper.
    """
    from fpdf import FPDF

    name = paper.lower()
    if name not in PAPERS_MM:
        raise Refusal(Problem(where="paper", expected="A4 or Letter", got=f"'{paper}'", action="give one of them"))
    pdf = FPDF(unit="mm", format=PAPERS_MM[name])
    pdf.set_auto_page_break(False)
    pdf.set_title("ulcermeter card")
    pdf.set_creator("ulcermeter")
    pdf.set_creation_date(_CREATED)
    pdf.add_page()
    x_mm, y_mm = card_place_mm(name)
    _heading(pdf, PAPERS_MM[name][0])
    for shape in card_shapes():
        _print(pdf, shape, x_mm, y_mm)
    _cut_lines(pdf, x_mm, y_mm)
    _bar(pdf, (PAPERS_MM[name][0] - BAR_MM) / 2, y_mm + CARD_MM[1] + 24)
    _steps(pdf, 28.0, y_mm + CARD_MM[1] + 40, PAPERS_MM[name][0] - 56)
    path = Path(path)
    write_file(path, bytes(pdf.output()))
    return path


def _heading(pdf: FPDF, wide_mm: float) -> None:
    pdf.set_font("helvetica", "B", 17)
    pdf.set_xy(0, 12)
    pdf.cell(wide_mm, 8, "ulcermeter card", align="C")
    pdf.set_font("helvetica", "", 9)
    pdf.set_text_color(90)
    pdf.set_xy(0, 20)
    pdf.cell(wide_mm, 5, "A reference of known size for photographs of digital ulcers. Print at 100 %.", align="C")
    pdf.set_text_color(0)


def _print(pdf: FPDF, shape: Shape, x_mm: float, y_mm: float) -> None:
    x, y = shape.place_mm[0] + x_mm, shape.place_mm[1] + y_mm
    pdf.set_fill_color(*shape.colour)
    if shape.kind == "rect":
        pdf.rect(x, y, shape.place_mm[2], shape.place_mm[3], style="F")
    elif shape.kind == "disc":
        pdf.circle(x, y, shape.place_mm[2] / 2, style="F")
    else:
        # A capital is 0.72 of its font's size high.
        pdf.set_font("helvetica", "", shape.place_mm[2] / _CAPITAL * _PT_PER_MM)
        pdf.set_text_color(*shape.colour)
        pdf.text(x, y, shape.text)
        pdf.set_text_color(0)


def _cut_lines(pdf: FPDF, x_mm: float, y_mm: float) -> None:
    left, top, right, bottom = OPENING_MM
    outline = [(0, 0), (CARD_MM[0], 0), CARD_MM, (right, bottom), (right, top), (left, top), (left, bottom)]
    outline.append((0, CARD_MM[1]))
    pdf.set_draw_color(120)
    pdf.set_line_width(0.15)
    pdf.set_dash_pattern(dash=1.2, gap=0.8)
    for (x0, y0), (x1, y1) in zip(outline, [*outline[1:], outline[0]], strict=True):
        pdf.line(x_mm + x0, y_mm + y0, x_mm + x1, y_mm + y1)
    pdf.set_dash_pattern()
    pdf.set_font("helvetica", "", 8)
    pdf.set_text_color(120)
    middle = x_mm + (left + right) / 2
    for k, line in enumerate(("cut out:", "the finger", "lies here")):
        pdf.text(middle - pdf.get_string_width(line) / 2, y_mm + top + 20 + 4 * k, line)
    pdf.set_text_color(0)


def _bar(pdf: FPDF, x_mm: float, y_mm: float) -> None:
    pdf.set_fill_color(0)
    pdf.rect(x_mm, y_mm, BAR_MM, 2.5, style="F")
    for end in (0.0, BAR_MM):
        pdf.rect(x_mm + end - (0.3 if end else 0.0), y_mm - 2.0, 0.3, 6.5, style="F")
    pdf.set_font("helvetica", "", 9)
    stated = "check the printer: this bar is 100 mm from end to end"
    pdf.text(x_mm + (BAR_MM - pdf.get_string_width(stated)) / 2, y_mm + 7.5, stated)


def _steps(pdf: FPDF, x_mm: float, y_mm: float, wide_mm: float) -> None:
    pdf.set_font("helvetica", "", 10)
    pdf.set_y(y_mm)
    for number, step in enumerate(_STEPS, start=1):
        pdf.set_x(x_mm)
        pdf.cell(7, 5.2, f"{number}.")
        pdf.multi_cell(wide_mm - 7, 5.2, step, align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.ln(1.2)
    pdf.ln(3)
    pdf.set_x(x_mm)
    pdf.set_font("helvetica", "B", 10)
    pdf.multi_cell(wide_mm, 5.2, "Research use only, not a medical device. The investigator decides.", align="L")
