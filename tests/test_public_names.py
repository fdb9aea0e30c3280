"""The public names: each loads, and a type checker knows what it takes and gives."""

from __future__ import annotations

import ast
import inspect
import textwrap
from pathlib import Path

import pytest

import ulcermeter as um

STUB = Path(um.__file__).with_suffix(".pyi")


def test_every_public_name_loads() -> None:
    for name in um.__all__:
        value = getattr(um, name)
        assert inspect.isfunction(value) or inspect.ismodule(value), name
    assert um.__version__ and set(um.__all__) <= set(dir(um))
    with pytest.raises(AttributeError, match="no_such_name"):
        um.no_such_name  # type: ignore[attr-defined]  # noqa: B018


def test_every_public_function_says_what_it_takes_and_gives() -> None:
    for name in um.__all__:
        if inspect.isfunction(function := getattr(um, name)):
            parameters = inspect.signature(function).parameters.values()
            annotations = [p.annotation for p in parameters] + [inspect.signature(function).return_annotation]
            assert not [a for a in annotations if a is inspect.Parameter.empty or "Any" in str(a)], name


def test_the_stub_only_imports() -> None:
    body = ast.parse(STUB.read_text(encoding="utf-8")).body
    assert all(isinstance(node, ast.ImportFrom) for node in body[:-1])
    assert ast.unparse(body[-1]) == "__version__: str"


def test_a_type_checker_finds_a_wrong_call(tmp_path: Path) -> None:
    api = pytest.importorskip("mypy.api", reason="needs the extra `lint`")
    snippet = """\
        import ulcermeter as um
        photo = um.read_photo("a.jpg")
        calibration = um.calibrate(photo, refrence="card")
        um.rectify(photo, um.calibrate(photo))
        um.calibrate_all(photo)
        um.draw_overlay(photo, um.segment(um.rectify(photo, um.calibrate(photo), spacing_mm=0.05)), None, lines={})
        """
    path = tmp_path / "snippet.py"
    path.write_text(textwrap.dedent(snippet))
    # Without the stubs of other packages, which take ten seconds: their types are then unknown, ours are not.
    quick = ["--no-site-packages", "--ignore-missing-imports", "--follow-imports=silent", "--config-file="]
    found, _, _ = api.run([*quick, "--cache-dir", str(tmp_path / "cache"), str(path)])
    errors = [line.split(": error: ") for line in found.splitlines() if ": error: " in line]
    assert [place.rpartition(":")[2] for place, _ in errors] == ["3", "4", "5"], found
    assert 'Unexpected keyword argument "refrence" for "calibrate"' in errors[0][1]
    assert 'Missing named argument "spacing_mm" for "rectify"' in errors[1][1]
