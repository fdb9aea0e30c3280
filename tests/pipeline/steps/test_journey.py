"""One photo's journey: every stage returns a frozen record, and the last one reached tells what was known."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from ulcermeter.datatypes import CameraInfo, Note, NoteKind, Photo
from ulcermeter.errors import Problem, Refusal, StudyError
from ulcermeter.phantom import CameraSpec, PhantomSpec, draw_phantom, write_phantom
from ulcermeter.pipeline import measure_photo, one_photo
from ulcermeter.pipeline.steps import outlining
from ulcermeter.pipeline.steps.gating import refuse_or_note
from ulcermeter.pipeline.steps.prompt import Prompt, PromptKind, parse_prompt
from ulcermeter.pipeline.steps.records import Calibrated, Measured, PhotoContext, row_cells
from ulcermeter.protocol import read_protocol
from ulcermeter.wording import reason_of_photo

PROTOCOL = read_protocol("manus")
ROW = {"photo": "a.jpg", "reference": "aruco:10", "reference_on": "skin"}
PHOTO = Photo(np.zeros((600, 800, 3), np.uint8), "0" * 64, None, CameraInfo(), Path("a.jpg"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journey")
    camera = CameraSpec(width_px=640, height_px=480, px_per_mm=10.0)
    write_phantom(draw_phantom(PhantomSpec(camera=camera)), path / "a.jpg")
    return path


def test_every_stage_keeps_what_the_one_before_it_knew(folder: Path) -> None:
    reached = list(one_photo._stages(PhotoContext(row_cells(ROW), PROTOCOL, folder)))
    assert isinstance(reached[-1], Measured) and len(reached[-1].measurements) == 1
    for before, after in zip(reached, reached[1:], strict=False):
        assert isinstance(after, type(before))
        assert after.notes[: len(before.notes)] == before.notes
        kept = {f.name for f in fields(before)} - {"notes", "gates", "finger", "network_mm"}
        assert all(getattr(after, name) is getattr(before, name) for name in kept)
    with pytest.raises(FrozenInstanceError):
        reached[-1].notes = ()  # type: ignore[misc]


def test_a_possible_ulcer_is_measured_and_not_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = outlining.segment
    monkeypatch.setattr(outlining, "segment", lambda *args, **more: replace(found(*args, **more), possible=True))
    result = measure_photo(ROW, PROTOCOL, root=folder, overlay=False)
    assert (result.photo["status"], result.photo["n_ulcers"]) == ("measured", 0)
    assert [row["presence"] for row in result.measurements] == ["possible"]


@pytest.mark.parametrize(
    ("windows", "chosen"),
    [("nn", 1), ("np", 1), ("ns", 1), ("pn", 0), ("pp", 0), ("ps", 1), ("s", 0), ("cs", 1), ("cn", 0)],
)
def test_a_surer_find_in_the_wider_window_takes_a_possible_ones_place(
    monkeypatch: pytest.MonkeyPatch, windows: str, chosen: int
) -> None:
    """Each window shows (n)othing, a (p)ossible ulcer, a (s)ure one or a (c)ut one; that round skin comes first."""
    best, found, ends = outlined_in(monkeypatch, windows, ends=())
    assert best is found[chosen] and ends == (None if windows[0] in "sc" else ())


@pytest.mark.parametrize(
    ("windows", "skin", "ends"), [("n", True, ("an end",)), ("p", True, ("two", "ends")), ("n", False, ())]
)
def test_all_of_the_photo_is_looked_at_only_where_no_finger_is_in_the_window(
    monkeypatch: pytest.MonkeyPatch, windows: str, skin: bool, ends: tuple[str, ...]
) -> None:
    best, found, known = outlined_in(monkeypatch, windows, ends=ends, skin=skin)
    assert best is found[0] and known == (ends if skin else None)


def outlined_in(
    monkeypatch: pytest.MonkeyPatch, windows: str, *, ends: tuple[str, ...], skin: bool = True
) -> tuple[Any, list[Any], Any]:
    """Outline with what is found in each window given; return the best, all that was given, and the fingers' ends."""
    found = [
        SimpleNamespace(
            outlines=(1,) * (kind != "n"), possible=kind == "p", touches_border=(kind == "c",), rectified=None
        )
        for kind in windows
    ]
    looks, box = iter(found), (0.0, 0.0, 9.0, 9.0) if skin else None
    monkeypatch.setattr(outlining, "likely_skin", lambda *_: SimpleNamespace(box=lambda: box, may_be_a_hand=False))
    monkeypatch.setattr(outlining, "choose_window", lambda *_, **__: None)
    monkeypatch.setattr(outlining, "round_box", lambda *_: box)
    monkeypatch.setattr(outlining, "finger_ends", lambda *_, **__: ends)
    monkeypatch.setattr(outlining, "_segment_window", lambda *_: next(looks))
    best, known = outlining._outline(PhotoContext({}, PROTOCOL), PHOTO, None, Prompt())  # type: ignore[arg-type]
    assert next(looks, None) is None
    return best, found, known


@pytest.mark.parametrize(
    ("stage", "known", "unknown"),
    [
        ("open_photo", (), ("sha256", "px_per_mm")),
        ("compare_dates", ("sha256",), ("px_per_mm",)),
        ("read_prompt", ("sha256",), ("px_per_mm", "quality_reference_present")),
        ("calibrate_photo", ("sha256", "quality_reference_present"), ("px_per_mm",)),
        ("standardise", ("px_per_mm", "quality_reference_square"), ("detection_limit_mm",)),
        ("pass_gates", ("px_per_mm", "focus", "detection_limit_mm", "quality_even_light"), ()),
    ],
)
def test_a_refusal_at_any_stage_tells_what_was_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch, stage: str, known: tuple[str, ...], unknown: tuple[str, ...]
) -> None:
    def refuse(*_: Any) -> None:
        raise Refusal(Problem("of all things", action="go away"))

    monkeypatch.setattr(one_photo, stage, refuse)
    photo = measure_photo(ROW, PROTOCOL, root=folder, overlay=False).photo
    assert (photo["status"], photo["reason"], photo["instruction"]) == (
        "refused",
        "of all things: go away",
        "go away",
    )
    assert set(known) <= set(photo) and not set(unknown) & set(photo)


def test_a_photo_without_a_reference_lacks_that_criterion(folder: Path) -> None:
    cv2.imwrite(str(folder / "bare.png"), np.full((300, 400, 3), 120, np.uint8))
    photo = measure_photo(ROW | {"photo": "bare.png"}, PROTOCOL, root=folder, overlay=False).photo
    assert photo["status"] == "refused" and photo["quality_reference_present"] == "no"


@pytest.mark.parametrize(
    ("cells", "kind", "place"),
    [
        ({}, PromptKind.NONE, (399.5, 299.5)),
        ({"x": "12", "y": "7.5"}, PromptKind.CLICK, (12, 7.5)),
        ({"box": "10 20 30 40"}, PromptKind.BOX, (25, 40)),
        ({"x": "12", "y": "30", "box": "10 20 30 40"}, PromptKind.CLICK, (12, 30)),
        ({"mask": "m.png"}, PromptKind.MASK, (399.5, 299.5)),
        ({"x": "12"}, PromptKind.NONE, (399.5, 299.5)),
    ],
)
def test_a_prompt_names_its_kind_and_place(cells: dict[str, str], kind: PromptKind, place: tuple[float, float]) -> None:
    prompt = parse_prompt(**{"x": "", "y": "", "box": "", "mask": ""} | cells)
    assert prompt.kind is kind and prompt.place(PHOTO).tolist() == list(place)


def test_a_click_that_is_none_is_a_fault_of_the_row() -> None:
    with pytest.raises(StudyError, match="x, y: expected a click in px of the upright photo, got 'here', '3'"):
        parse_prompt(x="here", y="3", box="", mask="")


def test_a_prompt_without_its_tracing_keeps_its_finger() -> None:
    prompt = Prompt(click=(1, 2), box=(0, 0, 9, 9), mask="m.png")
    assert prompt.without_tracing() == Prompt(box=(0, 0, 9, 9))
    assert prompt.within((5, 5, 2, 2)) is prompt and Prompt().within((5, 5, 2, 2)).box == (5, 5, 2, 2)


def test_a_row_without_a_cell_knows_nothing_of_it() -> None:
    cells = row_cells({"photo": " a.jpg ", "x": 3.5, "y": None, "box": float("nan")})
    assert cells == {"photo": "a.jpg", "x": "3.5", "y": "", "box": ""}
    assert PhotoContext(cells, PROTOCOL).cell("mask") == ""


def test_one_thing_noted_twice_stands_once() -> None:
    failed = Note(NoteKind.GATE_FAILED, problem=Problem("tilt 41° (limit 35°)", action="hold it parallel"))
    assert reason_of_photo("", [failed, failed]) == "gate failed: tilt 41° (limit 35°): hold it parallel"


def test_gates_refuse_all_failures_together_or_note_them(folder: Path) -> None:
    context = PhotoContext(row_cells(ROW), PROTOCOL, folder)
    calibrated = next(known for known in one_photo._stages(context) if isinstance(known, Calibrated))
    failures = [Problem("dark", action="light"), Problem("far", action="nearer"), Problem("dark", action="light")]
    with pytest.raises(Refusal, match="^dark: light; far: nearer$"):
        refuse_or_note(context, calibrated, failures)
    reporting = replace(context, protocol=PROTOCOL.changed(gates="report"))
    noted = refuse_or_note(reporting, calibrated, failures)
    assert [note.problem for note in noted.notes[-2:]] == failures[:2]
