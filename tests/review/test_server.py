"""What the server gives out and takes: nothing without the token, nothing that names a photo to a blinded reader."""

from __future__ import annotations

import io
import json
import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from served_page import TOKEN, entries

import ulcermeter as um
from ulcermeter.errors import PhotoError, StudyError
from ulcermeter.pipeline.finish import finish_again, study_of_run
from ulcermeter.review.opening import open_session
from ulcermeter.review.reading_list import make_list, write_list
from ulcermeter.review.session import Session
from ulcermeter.review.tables_after import TablesAfter

testclient = pytest.importorskip("starlette.testclient", reason="the extra review is not installed")
from ulcermeter.review.serve import local_socket  # noqa: E402
from ulcermeter.review.server import make_app  # noqa: E402


def client(session: Session) -> Any:
    return testclient.TestClient(make_app(session, TOKEN), base_url="http://127.0.0.1")


def read_item(session: Session) -> Any:
    return next(item for item in session.items if item.is_readable)


def test_nothing_is_served_without_the_token_or_under_another_name(session: Session) -> None:
    own = client(session)
    assert own.get(f"/{TOKEN}/api/list").status_code == 200
    assert {own.get(path).status_code for path in ("/", "/api/list", "/other/api/list", f"/{TOKEN}x/")} == {404}
    other = testclient.TestClient(make_app(session, TOKEN), base_url="http://evil.example")
    assert other.get(f"/{TOKEN}/api/list").status_code == 400
    assert own.get(f"/{TOKEN}/static/..%2Fserver.py").status_code == 404


def test_every_answer_forbids_what_the_page_does_not_need(session: Session) -> None:
    headers = client(session).get(f"/{TOKEN}/").headers
    assert "default-src 'none'" in headers["content-security-policy"] and headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"


def test_photos_come_out_without_exif(session: Session) -> None:
    answer = client(session).get(f"/{TOKEN}/api/image/{read_item(session).id}")
    with Image.open(io.BytesIO(answer.content)) as image:
        assert not image.getexif() and "exif" not in image.info and image.size == (960, 720)


def test_a_photo_exchanged_since_the_run_is_not_shown_under_its_old_outlines(session: Session, tmp_path: Path) -> None:
    item = read_item(session)
    study = shutil.copytree(session.photos, tmp_path / "study")
    session.photos = Path(study)
    path = study / item.place[0]
    path.write_bytes(path.read_bytes() + b" ")
    answer = client(session).get(f"/{TOKEN}/api/image/{item.id}")
    assert answer.status_code == 422 and "another file now" in answer.json()["error"]


NO_OUTLINES: list[Any] = [
    [[0, 0], [1, 1]],
    [[0, 0], [1e9, 0], [0, 5]],
    [[None, 0], [1, 0], [0, 1]],
    "text",
    [],
    [[1, 2, 3]] * 4,
]


def test_what_is_no_outline_is_refused_in_a_sentence_and_not_logged(session: Session) -> None:
    item, own = read_item(session), client(session)
    for outline in NO_OUTLINES:
        state = {"verdict": "", "ulcers": [{"label": 1, "verdict": "edited", "outline_px": outline}]}
        answer = own.post(f"/{TOKEN}/api/reading/{item.id}", json={"state": state, "action": "edit", "follows": 0})
        assert answer.status_code in (400, 422) and answer.json()["error"], outline
    assert entries(session.root) == []


def test_a_form_of_another_page_is_not_taken(session: Session) -> None:
    sent = json.dumps({"state": {"verdict": "healed", "ulcers": []}, "action": "healed", "follows": 0})
    path = f"/{TOKEN}/api/reading/{read_item(session).id}"
    assert client(session).post(path, content=sent, headers={"content-type": "text/plain"}).status_code == 400
    assert entries(session.root) == []


@pytest.mark.parametrize("outlines", ["none", "machine"])
def test_a_blinded_reader_is_told_nothing_of_which_photo_it_is(folder: Path, outlines: str) -> None:
    whole = open_session(folder, reader="R9")
    places = [item.place for item in whole.items if item.is_readable]
    write_list(folder, make_list(places, readers=("R1", "R2"), repeat=0.5, outlines=outlines, seed=3))
    session = open_session(folder, reader="R1")
    assert len(session.items) == len(places) + 1
    own = client(session)
    answers = [own.get(f"/{TOKEN}/api/list").text]
    answers += [own.get(f"/{TOKEN}/api/photo/{item.id}").text for item in session.items]
    saved = {"state": {"verdict": "healed", "ulcers": []}, "action": "healed", "follows": 0}
    answers.append(own.post(f"/{TOKEN}/api/reading/{session.items[0].id}", json=saved).text)
    every = " ".join(answers)
    names = {str(row[name]) for item in whole.items for row in [item.photo] for name in ("photo", "subject_id", "date")}
    names |= {str(item.photo["visit"]) for item in whole.items} | {item.sha256 for item in whole.items if item.sha256}
    assert not [name for name in names if name in every]
    shown = [json.loads(text)["machine"] for text in answers[1:-1]]
    assert all(shown) if outlines == "machine" else not any(shown)
    # The other photos, and those of the run that are not on the list, cannot be asked for either.
    assert own.get(f"/{TOKEN}/api/photo/{whole.items[0].id}").status_code == 400


def test_both_readings_of_a_photo_shown_twice_are_kept_apart(folder: Path) -> None:
    whole = open_session(folder, reader="R9")
    places = [item.place for item in whole.items if item.is_readable][:1]
    write_list(folder, make_list(places, readers=("R1",), repeat=1.0, outlines="none", seed=3))
    session = open_session(folder, reader="R1")
    first = session.items[0]
    session.save(first, {"verdict": "healed", "ulcers": []}, action="healed")
    assert session.reading(session.items[1]) is None
    assert {entry.after["occasion"] for entry in entries(folder) if entry.after} == {first.occasion}


def test_machine_is_no_readers_name(folder: Path) -> None:
    for name in ("", " ", "Machine"):
        with pytest.raises(StudyError, match="--reader"):
            open_session(folder, reader=name)


def test_merging_and_cutting_keep_the_area(session: Session) -> None:
    own, path = client(session), f"/{TOKEN}/api/shape/{read_item(session).id}"
    square = [[0, 0], [4, 0], [4, 4], [0, 4]]
    beside = [[3, 0], [7, 0], [7, 4], [3, 4]]

    def area(points: Any) -> float:
        x, y = np.array(points).T
        return 0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(np.roll(x, -1), y)))

    (joined,) = own.post(path, json={"outlines_px": [square, beside]}).json()["outlines_px"]
    assert area(joined) == pytest.approx(28)
    parts = own.post(path, json={"outlines_px": [square], "line": [[1, -1], [1, 5]]}).json()["outlines_px"]
    assert sorted(area(part) for part in parts) == pytest.approx([4, 12])
    assert own.post(path, json={"outlines_px": [square], "line": [[9, 9], [8, 8]]}).status_code == 422


def test_after_accepting_all_every_outline_and_size_is_as_before(folder: Path, session: Session) -> None:
    """And an identity given on the page is the ulcer's in every table."""
    before = um.read_results(folder)
    named = next(item for item in session.items if item.outlines)
    own = f"{'-'.join(named.whose)}-7"
    vertices = (folder / "outlines.csv").read_bytes()
    for item in session.items:
        if item.outlines:
            ulcers: list[dict[str, object]] = [{"label": n, "verdict": "accepted"} for n in item.outlines]
            ulcers[0] |= {"ulcer_id": own if item is named else ""}
            session.save(item, {"verdict": "", "ulcers": ulcers}, action="accept")
    tables = TablesAfter(folder, None)
    assert tables.are_behind(), "also where the program that read was killed"
    after = finish_again(folder, study=study_of_run(folder), overlays=False)
    assert not tables.are_behind()
    assert (folder / "outlines.csv").read_bytes() == vertices
    sizes = [name for name in before.measurements.columns if name.endswith(("_mm", "_mm2", "_px"))]
    interval = [name for name in sizes if name.startswith("u_") or "_low" in name or "_high" in name]
    same = [name for name in sizes if name not in interval]
    pd.testing.assert_frame_equal(after.measurements[same], before.measurements[same], check_exact=True)
    assert set(after.measurements["reader"]) == {"R1"} and set(before.measurements["reader"]) == {"machine"}
    assert after.measurements.set_index("photo").loc[named.place[0], "ulcer_id"] == own
    assert own in set(after.trajectories["ulcer_id"])
    # What differs follows from the reader's error: the outline's own term.
    kept = ["u_reference_mm", "u_height_mm", "u_slope_mm"]
    drift = (after.measurements[kept] - before.measurements[kept]).abs().max().max()
    assert drift < 0.02 and not after.measurements["u_outline_mm"].equals(before.measurements["u_outline_mm"])


def test_an_identity_of_another_finger_is_refused(session: Session) -> None:
    item = next(item for item in session.items if item.outlines)
    for name in ("S09-left-index-1", "2", f"{'-'.join(item.whose)}-x"):
        with pytest.raises(PhotoError, match="an ulcer of this finger"):
            session.save(item, {"ulcers": [{"label": 1, "verdict": "accepted", "ulcer_id": name}]}, action="identity")
    assert entries(session.root) == []


def test_answers_do_not_wait_for_the_browser_to_confirm_their_head() -> None:
    """Only of a socket that is named TCP does asyncio switch Nagle's waiting off, some 40 ms an answer."""
    with local_socket() as door, socket.create_connection(door.getsockname()), door.accept()[0] as taken:
        assert taken.proto == socket.IPPROTO_TCP and taken.getsockname()[0] == "127.0.0.1"
