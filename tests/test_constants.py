"""Numbers that decide are named and explained: read off the code itself."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Callable
from pathlib import Path

PACKAGE = Path(__file__).parent.parent / "ulcermeter"
ROOMS = (
    "agreement", "calibration", "datatypes", "eligibility", "finger", "geometry", "healing", "outcomes", "photo",
    "planimetry", "quality", "segmentation", "statistics.py", "tracking", "validation",
)  # fmt: skip
# Drawings: their places say where a thing stands on a page, and nothing is measured at them. Training has its ranges at
# the head of its files, and in its augmentation a sentence for all of them.
EXEMPT = {"calibration/card/layout.py", "calibration/card/print.py"}
# Halves and wholes; days a week, degrees, per cent, 8-bit levels, a million; and what only guards a division.
PLAIN = {0.0, 0.5, 1.0, 2.0, 7.0, 90.0, 100.0, 180.0, 255.0, 360.0, 1e6}
GUARD = 1e-6

FILES = sorted(
    path
    for room in ROOMS
    for path in ([PACKAGE / room] if room.endswith(".py") else (PACKAGE / room).rglob("*.py"))
    if "training" not in path.parts and path.relative_to(PACKAGE).as_posix() not in EXEMPT
)


def bare_numbers(source: str) -> list[str]:
    """Fractions that stand inside functions, with their lines."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    numbers = {
        (node.lineno, node.value)
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    }
    return [f"{line}: {value}" for line, value in sorted(numbers) if value > GUARD and value not in PLAIN]


def unexplained(source: str) -> list[str]:
    """Numbers of module level without a comment above or beside them, or a string below; a group shares its own."""
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    found, explained_to = [], -1
    body = ast.parse(source).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not isinstance(node, ast.Assign | ast.AnnAssign) or not _holds_number(node):
            continue
        end = node.end_lineno or node.lineno
        described = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant)
        commented = bool(comments & set(range(node.lineno - 1, end + 1)))
        if described or commented or explained_to == node.lineno - 1:
            explained_to = end
        else:
            found.append(f"{node.lineno}: {ast.unparse(node)[:60]}")
    return found


def _holds_number(node: ast.Assign | ast.AnnAssign) -> bool:
    numbers = (n.value for n in ast.walk(node.value or node) if isinstance(n, ast.Constant))
    return any(type(value) in (int, float) for value in numbers)


def _by_file(rule: Callable[[str], list[str]]) -> list[str]:
    texts = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in FILES}
    return [f"{name}:{line}" for name, text in texts.items() for line in rule(text)]


def test_no_number_that_decides_stands_inside_a_function() -> None:
    assert not _by_file(bare_numbers), "name it at the head of its file, with unit and source or `assumption`"


def test_named_numbers_are_explained() -> None:
    assert not _by_file(unexplained), "say beside it what it is, its unit, and its source or `assumption`"


def test_what_is_found() -> None:
    source = (
        "A = 3\n# Why.\nB = 4\nC = 5\n\nD = 6\n'Why.'\nE = 7  # why\ndef f(x=0.25):\n    return 0.5 * x + 1.7 - 1e-9\n"
    )
    assert bare_numbers(source) == ["9: 0.25", "10: 1.7"]
    assert unexplained(source) == ["1: A = 3"]
