"""How quick the reader's page is: a results folder blown up to many photos, read in a headless Chromium by key.

    python tests/studies/review_speed.py sample_images/study results [--photos 2000] [--accept 50]

The study's photos are copied under further names and subjects, their results copied: what is timed is the page, the
server and the log, not the measuring. Printed are the server's start, the page's opening, the next photo, an edit's new
value (with the processor time that the library takes of it) and accepting photos by key alone, and the machine's load.
Writes into a temporary folder.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sqlite3
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import pandas as pd

from ulcermeter.review.opening import open_session
from ulcermeter.review.serve import keep_out_of_collections, local_socket
from ulcermeter.review.server import make_app
from ulcermeter.store.photo_store import _seal


def blown_up(study: Path, results: Path, out: Path, count: int) -> tuple[Path, Path]:
    """Copy a study and its results until they hold `count` photo rows."""
    big, folder = out / "study", out / "results"
    shutil.copytree(study, big)
    shutil.copytree(results, folder, ignore=shutil.ignore_patterns("overlays", "report.html"))
    database = sqlite3.connect(folder / "store.sqlite")
    rows = database.execute(
        "SELECT o.key, r.result, r.sha256, r.status, g.geometry FROM study_order o "
        "JOIN photo_results r ON r.key = o.key LEFT JOIN photo_geometry g ON g.key = o.key ORDER BY o.position"
    ).fetchall()
    times = -(-count // len(rows))
    hashes = copied(study, big, times)
    position = len(rows)
    for k in range(1, times):
        for key, text, sha256, status, geometry in rows:
            if position >= count:
                break
            result = json.loads(text)
            result["photo"] |= renamed(result["photo"], k)
            sha256 = hashes.get(result["photo"]["photo"], sha256)
            result["photo"] |= {"sha256": sha256} if "sha256" in result["photo"] else {}
            result["measurements"] = [row | renamed(row, k) for row in result["measurements"]]
            cells = (f"{k}-{key}", json.dumps(result), None, sha256, status)
            database.execute("INSERT INTO photo_results VALUES (?, ?, ?, ?, ?, ?)", (*cells, _seal(cells)))
            database.execute("INSERT INTO study_order VALUES (?, ?)", (position, cells[0]))
            if geometry is not None:
                kept = (cells[0], geometry)
                database.execute("INSERT INTO photo_geometry VALUES (?, ?, ?)", (*kept, _seal(kept)))
            position += 1
    database.commit()
    for path in (
        big / "photos.csv",
        big / "subjects.csv",
        *(folder / f"{n}.csv" for n in ("measurements", "trajectories")),
    ):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        copies = [
            frame.assign(
                **{
                    c: [renamed(r, k)[c] for r in frame.to_dict("records")]
                    for c in renamed(dict.fromkeys(frame.columns, ""), k)
                }
            )
            for k in range(1, times)
        ]
        pd.concat([frame, *copies]).to_csv(path, index=False)
    return big, folder


def copied(study: Path, big: Path, times: int) -> dict[str, str]:
    """Write each photo `times` - 1 times more, every file with bytes of its own behind it; return their hashes."""
    hashes = {}
    for photo in sorted((study / "photos").iterdir()):
        for k in range(1, times):
            content = photo.read_bytes() + b" " * k
            (big / "photos" / f"{k}_{photo.name}").write_bytes(content)
            hashes[f"photos/{k}_{photo.name}"] = hashlib.sha256(content).hexdigest()
    return hashes


def renamed(row: dict[str, Any], k: int) -> dict[str, str]:
    """Return the cells of a row that name the photo, the subject and the ulcer, of the k-th copy."""
    new = {}
    if "photo" in row:
        new["photo"] = str(row["photo"]).replace("photos/", f"photos/{k}_")
    for name in ("subject_id", "ulcer_id"):
        if name in row:
            new[name] = f"C{k}{row[name]}" if row[name] else ""
    return new


def timed(page: Any, work: Any, selector: str) -> float:
    began = time.perf_counter()
    work()
    page.wait_for_selector(selector)
    return 1000 * (time.perf_counter() - began)


def library_time(session: Any) -> list[float]:
    """Have the session note how much processor time each measurement takes, ms."""
    took, measure = [], session.measure

    def measured(item: Any, outline: Any) -> Any:
        began = time.thread_time()
        values = measure(item, outline)
        took.append(1000 * (time.thread_time() - began))
        return values

    session.measure = measured
    return took


def main() -> None:
    """Blow up, serve, read, print."""
    import uvicorn
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", type=Path)
    parser.add_argument("results", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--accept", type=int, default=50)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as out:
        study, folder = blown_up(given.study, given.results, Path(out), given.photos)
        began = time.perf_counter()
        session = open_session(folder, reader="R1", study=study)
        print(f"session of {len(session.items)} photos opened in {time.perf_counter() - began:.2f} s")
        keep_out_of_collections()
        door = local_socket(0)
        server = uvicorn.Server(uvicorn.Config(make_app(session, "t"), log_level="error", lifespan="off"))
        threading.Thread(target=server.run, kwargs={"sockets": [door]}, daemon=True).start()
        with sync_playwright() as play:
            browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1366, "height": 850})
            read(page, session, f"http://127.0.0.1:{door.getsockname()[1]}/t/", given.accept)
            browser.close()
        server.should_exit = True


def read(page: Any, session: Any, address: str, accept: int) -> None:
    page.goto("about:blank")
    opened = [timed(page, lambda: page.goto(address), "body[data-shown]") for _ in range(3)]
    print(f"page open, first photo shown: {statistics.median(opened):.0f} ms (median of 3)")
    page.focus("#photo")
    page.wait_for_timeout(1500)
    readable = [item for item in session.items if item.is_readable]
    nexts = []
    for item in readable[1:16]:
        nexts.append(timed(page, lambda: page.keyboard.press("n"), f'body[data-shown="{item.id}"]'))
        page.wait_for_timeout(600)  # a reader looks at it, the one behind it is fetched
    nexts.sort()
    print(f"next photo shown: median {statistics.median(nexts):.0f} ms, longest {nexts[-1]:.0f} ms (15 photos)")
    page.keyboard.press(".")
    box, handles = page.locator("#photo").bounding_box(), json.loads(page.get_attribute("#photo", "data-handles"))
    x, y = handles[0][0] + box["x"], handles[0][1] + box["y"]
    page.mouse.move(x, y)
    page.mouse.down()
    values, library = [], library_time(session)
    for step in range(1, 41):
        page.mouse.move(x + step / 2, y)
        page.wait_for_timeout(150)
        values.append(float(page.get_attribute("body", "data-measure-ms") or "nan"))
    page.mouse.up()
    values.sort()
    middle = statistics.median(values)
    print(f"edit to the library's value: median {middle:.0f} ms, longest {values[-1]:.0f} ms ({len(values)} edits)")
    print(
        f"of which the library's processor time: median {statistics.median(library):.0f} ms, longest {max(library):.0f}"
    )
    page.goto(address)
    page.wait_for_selector("body[data-shown]")
    page.focus("#photo")
    began, left = time.perf_counter(), accept
    at = session.items.index(next(i for i in session.items if i.is_readable and not session.is_done(i)))
    while left:
        item = session.items[at]
        page.wait_for_selector(f'body[data-shown="{item.id}"]')
        left -= item.is_readable
        page.keyboard.press("Space")
        at += 1
    page.wait_for_selector(f'body[data-saved="{accept}"]')
    took = time.perf_counter() - began
    print(f"{accept} photos accepted by key alone in {took:.1f} s, {took / accept:.2f} s each, all in the log")
    print("load of the machine over 1, 5 and 15 minutes:", *(f"{load:.1f}" for load in os.getloadavg()))


if __name__ == "__main__":
    main()
