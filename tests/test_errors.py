"""Every error carries problems as facts, and every problem that asks a person for something says it as an order."""

from __future__ import annotations

import ast
import pickle
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from ulcermeter.datatypes import Calibration
from ulcermeter.errors import PhotoError, Problem, Refusal, StudyError
from ulcermeter.protocol import read_protocol
from ulcermeter.quality.gates import GateReport, _judged
from ulcermeter.reference import Reference, parse_reference

PACKAGE = Path(__file__).parent.parent / "ulcermeter"
# What a person is told to do begins with one of these.
VERBS = {
    "add",
    "check",
    "choose",
    "click",
    "compare",
    "copy",
    "correct",
    "delete",
    "crop",
    "draw",
    "export",
    "follow",
    "free",
    "give",
    "go",
    "hand",
}
VERBS |= {
    "hold",
    "install",
    "keep",
    "lay",
    "leave",
    "look",
    "make",
    "mend",
    "move",
    "name",
    "open",
    "photograph",
    "pip",
}
VERBS |= {
    "point",
    "read",
    "remove",
    "rename",
    "report",
    "run",
    "save",
    "say",
    "see",
    "set",
    "shorten",
    "show",
    "state",
    "stick",
}
VERBS |= {
    "report",
    "take",
    "tap",
    "tilt",
    "trace",
    "train",
    "turn",
    "update",
    "use",
    "wait",
    "write",
    "unpack",
    "try",
    "empty",
}


def actions() -> Iterator[tuple[str, str]]:
    """Yield where a Problem's action stands in the package and the text it begins with, where that is written there."""
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                for keyword in node.keywords:
                    text = beginning(keyword.value)
                    if keyword.arg == "action" and text:
                        yield f"{path.relative_to(PACKAGE)}:{node.lineno}", text


def beginning(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr) and node.values:
        return beginning(node.values[0])
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


ACTIONS = list(actions())


def test_the_actions_were_found() -> None:
    assert len(ACTIONS) > 60


@pytest.mark.parametrize(("where", "action"), ACTIONS, ids=[where for where, _ in ACTIONS])
def test_an_action_is_an_order(where: str, action: str) -> None:
    assert action.split(" ")[0].rstrip(",:") in VERBS, (where, action)
    assert not action.endswith((".", ";", ":", ",")), (where, action)


def tilted(reference: Reference) -> Calibration:
    """What the gates read of a calibration: its reference, seen at 60°."""
    return cast(Calibration, SimpleNamespace(reference=reference, tilt_deg=60.0))


def test_each_gate_says_what_to_do() -> None:
    rules = read_protocol("manus")
    lit = GateReport(
        px_per_mm=1.0,
        tilt_deg=60.0,
        scale_se_pct=9.0,
        focus=0.1,
        exposure=0.0,
        brightest=240.0,
        finger_bright=200.0,
        finger_contrast=20.0,
    )
    marker, disc = (tilted(parse_reference(reference)) for reference in ("aruco:10", "disc:10"))
    reports = [_judged(lit, rules, marker), _judged(lit, rules, disc)]
    others = (replace(lit, focus=0.0), replace(lit, brightest=9.0), replace(lit, finger_bright=9.0))
    reports += [_judged(report, rules, marker) for report in others]
    failures = {failure for report in reports for failure in report.failures}
    assert len(failures) == 10
    for failure in failures:
        assert failure.action.split(" ")[0] in VERBS, failure


def test_a_problem_is_one_sentence() -> None:
    whole = Problem(where="a.jpg", expected="a photo", got="0 bytes", action="copy it again")
    assert str(whole) == "a.jpg: expected a photo, got 0 bytes; copy it again."
    assert str(replace(whole, action="")) == "a.jpg: expected a photo, got 0 bytes."
    assert str(replace(whole, where="")) == "Expected a photo, got 0 bytes; copy it again."
    assert str(Problem("tilt 41° (limit 35°)", action="hold still")) == "tilt 41° (limit 35°): hold still"
    assert str(whole.at("S01")) == "S01: a.jpg: expected a photo, got 0 bytes; copy it again."


def test_several_problems_are_told_together_and_each_instruction_once() -> None:
    edges = Problem("edges 1 mm wide", action="tap on it")
    refusal = Refusal(Problem("tilt 41° (limit 35°)", action="hold still"), edges, replace(edges, where="ulcer 2"))
    assert (
        str(refusal)
        == "tilt 41° (limit 35°): hold still; edges 1 mm wide: tap on it; ulcer 2: edges 1 mm wide: tap on it"
    )
    assert refusal.instruction == "hold still; tap on it"
    assert StudyError(edges, replace(edges, where="b")).args[0].count("\n") == 1


def test_an_error_comes_back_whole_from_another_process() -> None:
    error = PhotoError(Problem(where="a.jpg", expected="a photo", got="none", action="check the path"))
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is PhotoError and back.problems == error.problems and str(back) == str(error)
