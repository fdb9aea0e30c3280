"""The page in a real browser: by key and by mouse, and what the log and the library say of it afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served_page import entries, saved, served

from ulcermeter.pipeline.readings import measure_outline
from ulcermeter.review.items import Item
from ulcermeter.review.opening import open_session
from ulcermeter.review.reading_list import make_list, write_list
from ulcermeter.review.session import Session

Show = Callable[[str], None]


def last(root: Path) -> dict[str, Any]:
    after = entries(root)[-1].after
    assert after is not None
    return dict(after)


def first_read(session: Session) -> Item:
    return next(item for item in session.items if item.is_readable)


def of_library(session: Session, outline: Any) -> float:
    item = first_read(session)
    geometry = session.geometry(item)
    assert geometry is not None
    points = np.asarray(outline, dtype=np.float64)
    row = measure_outline(geometry, points, sha256=item.sha256, protocol=session.protocol)
    return float(row["diameter_mm"])


def shown_mm(page: Any) -> float:
    return float(page.inner_text("#diameter"))


def test_accepted_by_key_every_vertex_stays(page: Any, show: Show, session: Session) -> None:
    with served(session) as address:
        show(address)
        page.keyboard.press("Enter")
        saved(page, 1)
    (entry,) = entries(session.root)
    assert entry.who == "R1" and entry.photo == first_read(session).place[0] and len(entry.photo_sha256) == 64
    (ulcer,) = last(session.root)["ulcers"]
    assert ulcer["verdict"] == "accepted"
    assert np.array_equal(np.array(ulcer["outline_px"]), first_read(session).outlines[ulcer["label"]])


def test_a_handle_dragged_a_millimetre_shows_the_librarys_value(page: Any, show: Show, session: Session) -> None:
    item = first_read(session)
    with served(session) as address:
        show(address)
        before = shown_mm(page)
        box = page.locator("#photo").bounding_box()
        x, y = json.loads(page.get_attribute("#photo", "data-handles"))[0]
        middle = np.mean(json.loads(page.get_attribute("#photo", "data-handles")), axis=0)
        out = np.array([x, y]) - middle
        move = out / np.linalg.norm(out) * float(page.get_attribute("#photo", "data-px-per-mm"))
        page.mouse.move(box["x"] + x, box["y"] + y)
        page.mouse.down()
        page.mouse.move(box["x"] + x + move[0] / 2, box["y"] + y + move[1] / 2)
        page.mouse.move(box["x"] + x + move[0], box["y"] + y + move[1])
        page.mouse.up()
        saved(page, 1)
        after = shown_mm(page)
    (ulcer,) = last(session.root)["ulcers"]
    outline = np.array(ulcer["outline_px"])
    assert after == pytest.approx(of_library(session, outline), abs=0.01) and abs(after - before) > 0.1
    moved = np.linalg.norm(outline - item.outlines[1], axis=1)
    geometry = session.geometry(item)
    assert geometry is not None
    assert moved.max() / geometry.calibration.px_per_mm(outline.mean(axis=0)) == pytest.approx(1.0, abs=0.08)
    assert (moved == 0).mean() > 0.6, "the rest of the rim stays bit for bit"


def check_former_place(page: Any, session: Session) -> None:
    """The healed one, beside another visit of its finger: its place by the finger's coordinates, at the same scale."""
    first = first_read(session)
    page.wait_for_selector("#course[data-shown]")
    tile = page.locator("#course figure:not(.own)")
    assert "healed, read" in tile.inner_text()
    at = np.array(json.loads(tile.locator("canvas").get_attribute("data-at")))
    scale = float(tile.locator("canvas").get_attribute("data-px-per-mm"))
    assert scale == pytest.approx(float(page.get_attribute("#photo", "data-px-per-mm")), rel=1e-6)
    geometry = session.geometry(first)
    assert geometry is not None
    away = np.linalg.norm(at - first.outlines[1].mean(axis=0)) / geometry.calibration.px_per_mm(at)
    assert away < 1.0, "where the machine had outlined it"


def test_by_keys_alone_nudge_grow_undo_redo_healed_and_reload(page: Any, show: Show, session: Session) -> None:
    with served(session) as address:
        show(address)
        first = shown_mm(page)
        for key in (".", "ArrowRight", "g", "g"):
            page.keyboard.press(key)
        saved(page, 3)
        grown = shown_mm(page)
        assert grown == pytest.approx(of_library(session, last(session.root)["ulcers"][0]["outline_px"]), abs=0.01)
        assert grown > first + 0.1
        page.keyboard.press("z")
        saved(page, 4)
        assert shown_mm(page) < grown
        page.keyboard.press("y")
        saved(page, 5)
        assert shown_mm(page) == grown
        page.keyboard.press("h")
        saved(page, 6)
        assert last(session.root)["verdict"] == "healed"
        show(address)  # opens what is still to be read
        check_former_place(page, session)
        page.keyboard.press("p")
        page.wait_for_selector(f'body[data-shown="{first_read(session).id}"]')
        assert "healed" in page.inner_text("#values")
        page.keyboard.press("z")  # what was done before the reload is in the log
        saved(page, 1)
        assert shown_mm(page) == grown
        page.keyboard.press("w")
        saved(page, 2)
        assert shown_mm(page) == first
    assert [e.action.removeprefix("reading ") for e in entries(session.root)] == [
        *("edit", "edit", "edit", "undo", "redo", "healed", "undo", "take back"),
    ]


def test_an_ulcer_added_by_a_click_and_one_redrawn_by_hand(page: Any, show: Show, session: Session) -> None:
    with served(session) as address:
        show(address)
        box = page.locator("#photo").bounding_box()
        handles = np.array(json.loads(page.get_attribute("#photo", "data-handles")))
        x, y = handles.mean(axis=0) + [box["x"], box["y"]]
        page.keyboard.press("x")
        saved(page, 1)
        assert "No ulcer" in page.inner_text("#values")
        page.keyboard.press("c")
        page.mouse.click(x, y)
        saved(page, 2)
        added = next(u for u in last(session.root)["ulcers"] if u["verdict"] == "added")
        found = np.array(added["outline_px"]).mean(axis=0)
        assert np.linalg.norm(found - first_read(session).outlines[1].mean(axis=0)) < 5
        page.keyboard.press("f")
        start, end = handles[0] + [box["x"], box["y"]], handles[2] + [box["x"], box["y"]]
        middle = (handles[1] - handles.mean(axis=0)) * 1.3 + handles.mean(axis=0) + [box["x"], box["y"]]
        page.mouse.move(*start)
        page.mouse.down()
        for point in (middle, end):
            page.mouse.move(*point, steps=4)
        page.mouse.up()
        saved(page, 3)
        redrawn = next(u for u in last(session.root)["ulcers"] if u["verdict"] == "added")
        assert shown_mm(page) == pytest.approx(of_library(session, redrawn["outline_px"]), abs=0.01)
        assert redrawn["outline_px"] != added["outline_px"]


def test_two_readers_do_not_see_each_other_and_a_third_settles(page: Any, show: Show, folder: Path) -> None:
    for reader, keys in (("R1", ["Enter"]), ("R2", ["h"])):
        with served(open_session(folder, reader=reader)) as address:
            show(address)
            assert "0 of" in page.inner_text("#progress")
            for key in keys:
                page.keyboard.press(key)
            saved(page, 1)
    third = open_session(folder, reader="R3", adjudicating=True)
    assert len(third.items) == 1
    with served(third) as address:
        show(address)
        assert "Reader A" in page.inner_text("#others") and "R1" not in page.content()
        page.keyboard.press("2")
        saved(page, 1)
    state = last(folder)
    assert state["verdict"] == "healed" and state["adjudicated"] and state["whole"]
    assert not open_session(folder, reader="R3", adjudicating=True).items


def test_a_blinded_reader_draws_and_a_habit_of_the_thumb_is_no_reading(page: Any, show: Show, folder: Path) -> None:
    places = [item.place for item in open_session(folder, reader="R9").items if item.is_readable]
    write_list(folder, make_list(places, readers=("R1",), repeat=0.0, outlines="none", seed=1))
    session = open_session(folder, reader="R1")
    with served(session) as address:
        show(address)
        assert page.inner_text("#title") == f"Photo 1 of {len(places)}" and not page.locator("#course figure").count()
        page.keyboard.press("Space")
        assert "Nothing is drawn" in page.inner_text("#message")
        page.keyboard.press("x")
        saved(page, 1)
        page.keyboard.press("e")
        page.fill("#ask-text", "a callus")
        page.keyboard.press("Enter")
        saved(page, 2)
        assert "a callus" in page.inner_text("#values")
    _, entry = entries(folder)
    assert entry.after is not None and entry.after["verdict"] == "no ulcer" and entry.after["whole"]
    assert entry.why == entry.after["why"] == "a callus"


class Pen:
    """A pen on the canvas, as the browser hears of it from the machine; a palm rests beside it."""

    def __init__(self, page: Any) -> None:
        self.send = page.context.new_cdp_session(page).send

    def draw(self, points: Any) -> None:
        kinds = ["mousePressed", *["mouseMoved"] * (len(points) - 2), "mouseReleased"]
        for kind, (x, y) in zip(kinds, points, strict=True):
            how = {"type": kind, "x": float(x), "y": float(y), "button": "left", "buttons": 1, "clickCount": 1}
            self.send("Input.dispatchMouseEvent", how | {"pointerType": "pen"})
            if kind == "mousePressed":
                palm = {"x": float(x) + 90, "y": float(y) + 120}
                self.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [palm]})
        self.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def on_canvas(page: Any) -> tuple[Any, Any]:
    """Return the handles and the canvas's corner, both in px of the window."""
    box = page.locator("#photo").bounding_box()
    corner = np.array([box["x"], box["y"]])
    return np.array(json.loads(page.get_attribute("#photo", "data-handles"))) + corner, corner


def test_with_a_pen_at_tablet_width_ulcers_are_added_merged_split_and_named(
    page: Any, show: Show, session: Session
) -> None:
    item = first_read(session)
    page.set_viewport_size({"width": 820, "height": 1180})
    with served(session) as address:
        show(address)
        handles, _ = on_canvas(page)
        middle, size = handles.mean(axis=0), np.ptp(handles, axis=0).max()
        turn = np.linspace(0, 2 * np.pi, 40)
        page.click('button[data-do="free"]')
        Pen(page).draw(middle + [0, 1.2 * size] + 0.3 * size * np.column_stack([np.cos(turn), np.sin(turn)]))
        saved(page, 1)
        drawn = next(u for u in last(session.root)["ulcers"] if u["verdict"] == "added")
        assert np.ptp(drawn["outline_px"], axis=0).min() > 10 and shown_mm(page) == pytest.approx(
            of_library(session, drawn["outline_px"]), abs=0.01
        )
        page.click('button[data-do="ulcer"]')
        page.click('button[data-do="merge"]')
        saved(page, 2)
        (merged,) = last(session.root)["ulcers"]
        assert (merged["label"], merged["verdict"]) == (1, "edited")
        both = np.vstack([item.outlines[1], drawn["outline_px"]])
        assert np.allclose(np.ptp(merged["outline_px"], axis=0), np.ptp(both, axis=0), atol=0.01)
        assert shown_mm(page) == pytest.approx(of_library(session, merged["outline_px"]), abs=0.01)
        page.click('button[data-do="split"]')
        page.keyboard.press("Enter")  # across its width
        saved(page, 3)
        first, second = last(session.root)["ulcers"]
        assert (first["verdict"], second["verdict"]) == ("edited", "added")
        assert all(len(one["outline_px"]) > 10 for one in (first, second))
        page.focus("#photo")
        page.keyboard.press("d")
        name = f"{'-'.join(item.whose)}-4"
        page.fill("#ask-text", name)
        page.keyboard.press("Enter")
        saved(page, 4)
        assert next(u for u in last(session.root)["ulcers"] if u["label"] == first["label"])["ulcer_id"] == name
        assert name in page.inner_text("#values")
    actions = [entry.action.removeprefix("reading ") for entry in entries(session.root)]
    assert actions == ["add", "merge", "split", "identity"]


def test_an_edit_in_another_window_is_shown_before_it_is_overwritten(page: Any, show: Show, session: Session) -> None:
    with served(session) as address:
        show(address)
        other = page.context.new_page()
        other.goto(address)
        other.wait_for_selector("body[data-shown]")
        other.focus("#photo")
        other.keyboard.press("h")
        saved(other, 1)
        page.focus("#photo")
        page.keyboard.press("Enter")
        saved(page, 1)
        assert "another window" in page.inner_text("#message") and "healed" in page.inner_text("#values")
        assert [entry.action for entry in entries(session.root)] == ["reading healed"]
        page.keyboard.press("w")
        saved(page, 2)
        assert page.is_hidden("#message") and len(entries(session.root)) == 2


SIZES = {"desktop": (1366, 850), "tablet": (820, 1180), "200 %": (683, 425), "phone": (390, 844)}


def check_widths(page: Any) -> None:
    """Nothing is cut, and photo, value and keys stand on the first screen, at every width."""
    for name, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(50)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        for place in ("#photo", "#diameter", "#show-keys"):
            box = page.locator(place).bounding_box()
            assert box["width"] > 0 and box["x"] >= 0 and box["y"] >= 0, (name, place)
            assert box["x"] + box["width"] <= width and box["y"] + box["height"] <= height, (name, place)
        targets = page.evaluate("[...document.querySelectorAll('#zoom button')].map((b) => b.offsetHeight)")
        assert min(targets) >= 40, name


HOSTILE = "<img src=x onerror=document.body.dataset.hit=1>&quot;'\u202e.jpg"


def test_hostile_names_stay_text_and_three_hundred_photos_are_a_list(page: Any, show: Show, session: Session) -> None:
    base = first_read(session)
    photo = {
        **base.photo,
        "subject_id": HOSTILE,
        "photo": HOSTILE,
        "visit": "<script>document.body.dataset.hit=1</script>",
    }
    many = [replace(base, id=f"p{n}", position=n, results=(replace(base.results[0], photo=photo),)) for n in range(300)]
    crowded = Session(
        session.root, reader=HOSTILE, photos=session.photos, mode=session.mode, items=many, kept=session._kept
    )
    with served(crowded) as address:
        show(address)
        assert page.locator("#list li").count() == 300 and "of 300" in page.inner_text("#progress")
        assert HOSTILE in page.inner_text("#title")
        assert page.locator("body img").count() == 0 and page.get_attribute("body", "data-hit") is None
        for _ in range(3):
            page.keyboard.press("n")
        page.wait_for_selector('body[data-shown="p3"]')
        check_widths(page)
        page.keyboard.press("?")
        assert page.is_visible("#keys")
