"""Docstrings are true: every public function names its parameters, what it returns and what it raises itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "ulcermeter"
NOT_YET: tuple[str, ...] = ()
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.relative_to(PACKAGE).parts[0] not in NOT_YET)


def public_functions(path: Path) -> Iterator[ast.FunctionDef]:
    """Functions of a file that others may call; a click command's parameters are documented by its options."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            decorators = " ".join(ast.unparse(decorator) for decorator in node.decorator_list)
            if "click.command" not in decorators:
                yield node


def section(docstring: str, name: str) -> str:
    found = re.search(rf"^{name}\n-+\n(.*?)(?=^\w[\w ]*\n-+\n|\Z)", docstring, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def parameters(function: ast.FunctionDef) -> set[str]:
    given = function.args
    stars = [argument for argument in (given.vararg, given.kwarg) if argument is not None]
    return {argument.arg for argument in [*given.posonlyargs, *given.args, *given.kwonlyargs, *stars]}


def documented(docstring: str) -> set[str]:
    heads = [line.split(" : ")[0] for line in section(docstring, "Parameters").splitlines() if line[:1].strip()]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def faults(function: ast.FunctionDef) -> list[str]:
    docstring = ast.get_docstring(function) or ""
    found = [f"parameters {sorted(wrong)}"] if (wrong := parameters(function) ^ documented(docstring)) else []
    returned = ast.unparse(function.returns) if function.returns else "None"
    if returned not in ("None", "NoReturn") and not (section(docstring, "Returns") or section(docstring, "Yields")):
        found.append("Returns")
    raised = [node for node in ast.walk(function) if isinstance(node, ast.Raise) and node.exc is not None]
    return found + (["Raises"] if raised and not section(docstring, "Raises") else [])


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_public_functions_say_their_parameters_and_results(path: Path) -> None:
    wrong = {function.name: found for function in public_functions(path) if (found := faults(function))}
    assert not wrong, "the docstring lacks, or has too many, of these"
