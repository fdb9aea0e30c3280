"""The page's server under what readers, windows, other pages and disks do to it: one sentence, nothing half done."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served_page import TOKEN, entries

from ulcermeter.errors import Refusal
from ulcermeter.review.opening import open_session
from ulcermeter.review.reading_list import make_list, write_list
from ulcermeter.review.session import ReadElsewhere, Session

testclient = pytest.importorskip("starlette.testclient", reason="the extra review is not installed")
from ulcermeter.review.server import make_app  # noqa: E402

HEALED: dict[str, Any] = {"verdict": "healed", "ulcers": []}


def client(session: Session) -> Any:
    app = make_app(session, TOKEN)
    return testclient.TestClient(app, base_url="http://127.0.0.1:8000", raise_server_exceptions=False)


def first_read(session: Session) -> Any:
    return next(item for item in session.items if item.is_readable and item.outlines)


def accepted(item: Any) -> dict[str, Any]:
    return {"verdict": "", "ulcers": [{"label": label, "verdict": "accepted"} for label in item.outlines]}


def test_undo_and_redo_go_through_the_log_and_outlive_the_program(folder: Path, session: Session) -> None:
    item = first_read(session)
    session.save(item, accepted(item), action="accept")
    session.save(item, HEALED, action="healed")
    later = open_session(folder, reader="R1")
    item = first_read(later)
    assert later.turn(item, "undo").ulcers[0].verdict == "accepted"
    assert not later.turn(item, "undo").has_content and later.reading(item) is None
    with pytest.raises(ValueError, match="undo"):
        later.turn(item, "undo")
    again = open_session(folder, reader="R1")
    assert again.turn(item, "redo").ulcers and str(again.turn(item, "redo").verdict) == "healed"
    again.save(item, accepted(item), action="accept")
    with pytest.raises(ValueError, match="redo"):
        again.turn(item, "redo")
    assert str(again.turn(item, "undo").verdict) == "healed", "an edit after a redo leads back to what it was made on"
    words = [entry.action.removeprefix("reading ") for entry in entries(folder)]
    assert words == ["accept", "healed", "undo", "undo", "redo", "redo", "accept", "undo"]
    # Another reader's work is not this one's to undo.
    with pytest.raises(ValueError, match="undo"):
        open_session(folder, reader="R2").turn(item, "undo")


def test_another_windows_reading_is_not_overwritten_unread(folder: Path, session: Session) -> None:
    item, own = first_read(session), client(session)
    shown = own.get(f"/{TOKEN}/api/photo/{item.id}").json()["follows"]
    sent = {"state": HEALED, "action": "healed", "follows": shown}
    assert own.post(f"/{TOKEN}/api/reading/{item.id}", json=sent).status_code == 200
    late = own.post(f"/{TOKEN}/api/reading/{item.id}", json={**sent, "state": accepted(item)})
    assert late.status_code == 409 and "another window" in late.json()["error"]
    assert own.post(f"/{TOKEN}/api/turn/{item.id}", json={"action": "undo", "follows": shown}).status_code == 409
    # A second program on the same folder is another window too.
    other = open_session(folder, reader="R1")
    other.save(item, accepted(item), action="accept")
    with pytest.raises(ReadElsewhere):
        session.save(item, HEALED, action="healed", follows=1)
    assert [entry.action for entry in entries(folder)] == ["reading healed", "reading accept"]
    reading = session.reading(item)
    assert reading is not None and reading.ulcers, "what the other program wrote is shown"


def full(path: Any, **how: Any) -> sqlite3.Connection:
    database = real_connect(path, **how)
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count={max(pages, 1)}")
    return database


def read_only(path: Any, **how: Any) -> sqlite3.Connection:
    if how.get("uri"):
        return real_connect(path, **how)
    return real_connect(f"{Path(path).resolve().as_uri()}?mode=ro", **how, uri=True)


real_connect = sqlite3.connect


@pytest.mark.parametrize("harm", [full, read_only])
def test_a_log_that_takes_nothing_is_said_and_nothing_is_shown_as_read(
    session: Session, monkeypatch: pytest.MonkeyPatch, harm: Callable[..., sqlite3.Connection]
) -> None:
    item, own = first_read(session), client(session)
    session.save(item, accepted(item), action="accept")
    sent = {"state": HEALED | {"why": "x" * 400}, "action": "healed", "follows": 1, "why": "y" * 400}
    monkeypatch.setattr(sqlite3, "connect", harm)
    answers = [own.post(f"/{TOKEN}/api/reading/{item.id}", json=sent) for _ in range(8)]
    refused = [answer for answer in answers if answer.status_code != 409]
    monkeypatch.setattr(sqlite3, "connect", real_connect)
    last = [answer for answer in refused if answer.status_code == 422]
    assert last and all("make room on the disk" in answer.json()["error"] for answer in last)
    shown = own.get(f"/{TOKEN}/api/photo/{item.id}").json()
    assert shown["follows"] == len(entries(session.root))
    sent["follows"] = shown["follows"]
    assert own.post(f"/{TOKEN}/api/reading/{item.id}", json=sent).status_code == 200


HOSTILE: list[tuple[str, Any]] = [
    ("reading", {"state": {"ulcers": [{"label": 10**30, "verdict": "added", "outline_px": [[1, 1], [9, 1], [5, 9]]}]}}),
    ("reading", {"state": {"ulcers": [{"label": -3, "verdict": "no ulcer"}]}}),
    ("reading", {"state": {"ulcers": [{"label": 77, "verdict": "edited", "outline_px": [[1, 1], [9, 1], [5, 9]]}]}}),
    ("reading", {"state": {"verdict": "dead", "ulcers": []}}),
    ("reading", {"state": {"ulcers": "all"}}),
    ("reading", {"state": None}),
    ("turn", {"action": "healed"}),
    ("turn", {"action": ["undo"]}),
    ("find", {"click": [1e12, -5]}),
    ("find", {"click": ["a", 1]}),
    ("find", {"box": [5, 5, -1, 3]}),
    ("find", {"stroke": [[1, 1]]}),
    ("find", {"stroke": [[1, 1], [float("inf"), 2], [3, 3]]}),
    ("find", {}),
    ("shape", {"outlines_px": []}),
    ("shape", {"outlines_px": [[[1, 1], [2, 2]]]}),
    ("shape", {"outlines_px": [[[float("nan"), 1], [2, 2], [3, 1]]]}),
    ("shape", {"outlines_px": [[[1, 1], [2, 2], [3, 1]]], "line": [[0, 0]]}),
    ("measure", {"outline_px": [[1, 1], [float("nan"), 2], [3, 3]]}),
    ("measure", {}),
]


def test_what_no_page_sends_is_refused_in_a_sentence_and_not_logged(session: Session) -> None:
    own, item, headers = client(session), first_read(session), {"content-type": "application/json"}
    for address, given in HOSTILE:
        text = json.dumps({"action": "edit", "follows": 0, **given})
        answer = own.post(f"/{TOKEN}/api/{address}/{item.id}", content=text, headers=headers)
        assert answer.status_code in (400, 422) and answer.json()["error"], (address, given)
    assert entries(session.root) == []


def test_parts_off_the_photo_and_places_of_no_finger_are_not_served(session: Session) -> None:
    own, item = client(session), first_read(session)
    for crop in ("0,0,-5,5", "99999,0,5,5", "1,2", "a,b,c,d", "nan,0,1,1", "0,0,1e300,inf"):
        assert own.get(f"/{TOKEN}/api/image/{item.id}", params={"crop": crop}).status_code == 404
    for place in ({"s": "nan", "t": "0"}, {"s": "1"}, {"s": "1", "t": "1e999"}):
        assert own.get(f"/{TOKEN}/api/place/{item.id}", params=place).status_code == 400
    assert own.get(f"/{TOKEN}/api/place/{item.id}", params={"s": "1e6", "t": "0"}).json() == {"px": None}


def test_another_pages_script_is_not_listened_to(session: Session) -> None:
    path = f"/{TOKEN}/api/reading/{first_read(session).id}"
    sent = {"state": HEALED, "action": "healed", "follows": 0}
    for origin in ("http://evil.example", "null", "http://127.0.0.1:8001", "https://127.0.0.1:8000"):
        assert client(session).post(path, json=sent, headers={"origin": origin}).status_code == 400
    assert entries(session.root) == []
    assert client(session).post(path, json=sent, headers={"origin": "http://127.0.0.1:8000"}).status_code == 200
    assert client(session).options(path, headers={"origin": "http://evil.example"}).status_code == 405


def test_a_place_of_the_finger_is_found_again_on_its_photo(session: Session) -> None:
    """Asked with the finger's coordinates of an outline, the outline's own middle comes back."""
    own = client(session)
    for item in session.items:
        for label, row in item.rows.items():
            place = {"s": row["finger_s_mm"], "t": row["finger_t_mm"]}
            at = own.get(f"/{TOKEN}/api/place/{item.id}", params=place).json()["px"]
            geometry = session.geometry(item)
            assert at is not None and geometry is not None
            away = np.linalg.norm(at - item.outlines[label].mean(axis=0))
            assert away / geometry.calibration.px_per_mm(np.array(at)) < 0.3


def test_an_added_ulcer_is_gated_where_it_lies(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    item = first_read(session)
    outline = item.outlines[1]
    beside = (outline + [0.0, 80.0]).tolist()
    added = {"verdict": "", "ulcers": [{"label": 2, "verdict": "added", "outline_px": beside}]}
    whole = session.pictures.photo(session.photos / item.place[0], item.sha256)
    blurred = whole.pixels.copy()
    low = int(outline[:, 1].max()) + 5
    blurred[low:] = blurred[low:].mean(axis=(0, 1)).astype(np.uint8)  # bare there, as it was everywhere else
    monkeypatch.setattr(session.pictures, "photo", lambda *_: replace(whole, pixels=blurred))
    with pytest.raises(Refusal, match="at the ulcer"):
        session.save(item, added, action="add")
    assert entries(session.root) == []
    session.protocol = session.protocol.changed(gates="report")
    session.save(item, added, action="add")


def test_a_listed_reader_is_blinded_however_the_name_is_typed_and_does_not_learn_of_repeats(folder: Path) -> None:
    places = [item.place for item in open_session(folder, reader="R9").items if item.is_readable]
    write_list(folder, make_list(places, readers=("R1",), repeat=1.0, outlines="none", seed=3))
    session = open_session(folder, reader=" r1")
    assert session.mode.blinded and session.reader == "R1"
    own, answers = client(session), []
    for item in session.items:
        sent = {"state": HEALED, "action": "healed", "follows": 0}
        own.post(f"/{TOKEN}/api/reading/{item.id}", json=sent)
        answers.append(own.get(f"/{TOKEN}/api/photo/{item.id}").json())
    assert len(answers) == 2 * len(places) and all(answer["reading"] for answer in answers)
    shown: dict[Any, list[Any]] = {item.place: [] for item in session.items}
    for item, answer in zip(session.items, answers, strict=True):
        shown[item.place].append({name: value for name, value in answer.items() if name not in ("id", "follows")})
    assert all(first == second for first, second in shown.values()), "nothing tells the second showing from the first"
