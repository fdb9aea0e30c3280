"""Every sentence that refuses a photo says what to do, and what to do can be taken out of it."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ulcermeter.calibration import calibrate
from ulcermeter.calibration.references.ruler import _FADED
from ulcermeter.errors import Refusal, what_to_do
from ulcermeter.pipeline import in_view
from ulcermeter.protocol import read_protocol
from ulcermeter.quality.gates import GateReport, _judged
from ulcermeter.study.cells import TOE_SENTENCE

PACKAGE = Path(__file__).parent.parent / "ulcermeter"
# What a person is told to do begins with one of these.
VERBS = {"check", "click", "draw", "give", "go", "hold", "keep", "lay", "leave", "name", "photograph", "point", "say"}
VERBS |= {"show", "state", "stick", "take", "tap", "tilt", "use", "write"}
# What a refusal says under a name, and what fills a place in its sentence.
NAMED = {"TOE_SENTENCE": [TOE_SENTENCE], "_NOT_IN_VIEW": list(in_view._NOT_IN_VIEW.values())}
FILLED = {"_HOW[asked.kind]": list(calibrate.__globals__["_HOW"].values())}


def refusals() -> Iterator[tuple[str, list[str]]]:
    """Yield the sentences of every Refusal in the package; of one kept as a reading's `why`, all such of its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
        whys = [str(n.value) for n in nodes if isinstance(n, ast.Constant) and str(n.value).startswith("reference ")]
        for node in nodes:
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal":
                kept = ".why" in ast.unparse(node)
                said = [*whys, _FADED] if kept else itertools.chain.from_iterable(map(sentences, node.args))
                yield f"{path.relative_to(PACKAGE)}:{node.lineno}", [text for text in said if not kept or ";" in text]


def sentences(argument: ast.expr) -> list[str]:
    """Return what an argument of Refusal can say, with a 0 for each number or name in it; not gates' own sentences."""
    if isinstance(argument, ast.Starred):
        return []
    if isinstance(argument, ast.Constant):
        return [str(argument.value)]
    if isinstance(argument, ast.JoinedStr):
        choices = [
            FILLED.get(ast.unparse(part.value), ["0"]) if isinstance(part, ast.FormattedValue) else [part.value]  # type: ignore[attr-defined]
            for part in argument.values
        ]
        return ["".join(map(str, choice)) for choice in itertools.product(*choices)]
    return next(texts for known, texts in NAMED.items() if known in ast.unparse(argument))


FOUND = list(refusals())


def test_the_refusals_were_found() -> None:
    assert len(FOUND) > 25
    assert sum(not said for _, said in FOUND) == 2  # gates, in the pipeline and in the validation


@pytest.mark.parametrize(("where", "said"), FOUND, ids=[where for where, _ in FOUND])
def test_a_refusal_says_what_to_do(where: str, said: list[str]) -> None:
    for sentence in said:
        assert what_to_do(sentence).split(" ")[0].rstrip(",") in VERBS, (where, sentence)


LIT = {"brightest": 240.0, "finger_bright": 200.0, "finger_contrast": 20.0}


def test_each_gate_says_what_to_do() -> None:
    rules = read_protocol("manus")
    worst = GateReport(px_per_mm=1.0, tilt_deg=60.0, scale_se_pct=9.0, focus=0.1, exposure=0.0, **LIT)
    reports = [_judged(worst, rules, reference) for reference in ("aruco:10", "disc:10")]
    reports.append(_judged(replace(worst, focus=0.0), rules, "aruco:10"))
    reports += [
        _judged(replace(worst, **dim), rules, "aruco:10") for dim in ({"brightest": 9.0}, {"finger_bright": 9.0})
    ]
    failures = {failure for report in reports for failure in report.failures}
    assert len(failures) == 10
    for failure in failures:
        assert what_to_do(f"ulcer 2: {failure}").split(" ")[0] in VERBS, failure


def test_several_sentences_are_told_together_and_each_instruction_once() -> None:
    said = ("tilt 41° (limit 35°): hold still", "edges 1 mm wide: tap on it", "ulcer 2: edges 1 mm: tap on it")
    refusal = Refusal(*said)
    assert str(refusal) == "; ".join(said)
    assert refusal.instruction == "hold still; tap on it"


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        ("a.jpg: expected a photo, got 0 bytes; copy it again.", "copy it again"),
        ("a.jpg: expected a photo, got none", ""),
        ("nothing to say", ""),
        ("expected four; of them: got two; go nearer", "go nearer"),
    ],
)
def test_what_to_do_stands_last(sentence: str, told: str) -> None:
    assert what_to_do(sentence) == told
