"""The report: everything accounted for, nothing from outside, nothing unescaped, the same bytes every time."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from ulcermeter import tables
from ulcermeter.datatypes import Results, Study
from ulcermeter.plots import FINGER_VIEW_PX
from ulcermeter.protocol import read_protocol
from ulcermeter.queries import list_queries
from ulcermeter.report import write_report
from ulcermeter.report.content import gather
from ulcermeter.report.formatting import pieces
from ulcermeter.report.pictures import Pictures
from ulcermeter.report.subjects import Subjects
from ulcermeter.store import overlay_name, write_pictures
from ulcermeter.tables.flags import Flag, FlagKind, write_flags

EVIL = "<script>alert(1)</script>"
NOTICE = "Research use only, not a medical device. Verdicts are proposals; the investigator decides."
VISITS = [
    ("screening", "2024-04-22", -14, 3.2, "first seen", "measured"),
    ("baseline", "2024-05-06", 0, 3.1, "persistent", "measured"),
    ("week 2", "2024-05-20", 14, 2.1, "persistent", "measured"),
    ("week 4", "2024-06-03", 28, None, "not photographed", "refused"),
    ("week 8", "2024-07-01", 56, 0.0, "healed", "no ulcer"),
    ("week 12", "2024-07-29", 84, 1.7, "recurrent", "measured"),
]


def rows_of(subject: str) -> dict[str, list[dict[str, Any]]]:
    """Photos, measurements and trajectories of one subject with one ulcer."""
    ulcer = f"{subject}-left-index-1"
    rows: dict[str, list[dict[str, Any]]] = {"photos": [], "retake": [], "measurements": [], "trajectories": []}
    for visit, date, day, diameter, state, status in VISITS:
        photo = f"photos/{subject}_{visit.replace(' ', '')}.jpg"
        place = {"subject_id": subject, "visit": visit, "date": date, "hand": "left", "finger": "index"}
        reason = "tilt 46°: hold the phone parallel to the card" if status == "refused" else ""
        rows["photos"].append(
            {**place, "photo": photo, "status": status, "reason": reason, "detection_limit_mm": 0.8, "n_ulcers": 1,
             "quality_even_light": "" if status == "refused" else "yes" if visit == "baseline" else "no"}
        )  # fmt: skip
        if status == "refused":
            how = "hold the phone parallel to the card"
            rows["retake"].append(
                {**place, "photo": photo, "status": status, "reason": reason, "instruction": how, "priority": 2}
            )
        sizes: dict[str, Any] = {}
        if diameter is not None:
            sizes = {"diameter_mm": diameter, "area_mm2": 0.6 * diameter**2}
        if diameter:
            sizes |= {"diameter_low_mm": 0.9 * diameter, "diameter_high_mm": 1.1 * diameter}
            sizes |= {"area_low_mm2": 0.5 * diameter**2, "area_high_mm2": 0.7 * diameter**2}
            over = "uncertain" if abs(diameter - 2) < 0.2 else "yes" if diameter > 2 else "no"
            rows["measurements"].append(
                {**place, **sizes, "day": day, "photo": photo, "label": 1, "ulcer_id": ulcer, "over_threshold": over,
                 "confidence": 0.3 if visit == "week 12" else 0.9, "dominant_error": "outline"}
            )  # fmt: skip
        healed = write_flags([Flag(FlagKind.HEALED_BY_MACHINE)]) if state == "healed" else ""
        rows["trajectories"].append({**place, **sizes, "day": day, "ulcer_id": ulcer, "state": state, "flags": healed})
    return rows


def eligibility_of(subject: str, verdict: str) -> dict[str, list[dict[str, Any]]]:
    protocol = read_protocol("manus")
    criteria = []
    for position, criterion in enumerate(protocol.criteria):
        effect = "none" if criterion.kind == "advisory" else "passes"
        if position == 1:
            effect = {"eligible": "passes", "not eligible": "fails", "undetermined": "unknown"}[verdict]
        result = "not assessable" if effect == "unknown" else "not met" if effect == "fails" else "met"
        criteria.append(
            {"subject_id": subject, "criterion": criterion.id, "kind": criterion.kind, "text": criterion.text,
             "result": result, "effect": effect, "evidence": f"evidence for {criterion.id}",
             "would_settle": "ulcers.csv, painful" if effect == "unknown" else ""}
        )  # fmt: skip
    flagged = "seen; flag: the photos contradict the physician"
    by_ulcer = [
        {"subject_id": subject, "ulcer_id": f"{subject}-left-index-1", "criterion": name, "result": "met",
         "effect": "passes", "evidence": flagged if name == "refractory_prostacyclin" else "seen"}
        for name in ("active_ulcer", "refractory_prostacyclin", "calcinosis")
    ]  # fmt: skip
    summary = {"subject_id": subject, "verdict": verdict, "qualifying_ulcer": f"{subject}-left-index-1"}
    return {"eligibility": criteria, "eligibility_by_ulcer": by_ulcer, "eligibility_summary": [summary]}


def make_results(root: Path, subjects: dict[str, str]) -> Results:
    gathered: dict[str, list[dict[str, Any]]] = {
        name: []
        for name in ("photos", "retake", "measurements", "trajectories", "eligibility", "eligibility_by_ulcer",
                     "eligibility_summary", "outcomes", "outcomes_by_subject", "outlines", "readings", "ids",
                     "queries")
    }  # fmt: skip
    for subject, verdict in subjects.items():
        for part in (rows_of(subject), eligibility_of(subject, verdict)):
            for name, rows in part.items():
                gathered[name] += rows
        gathered["outcomes"].append(
            {"subject_id": subject, "ulcer_id": f"{subject}-left-index-1", "healed": "yes", "healing_day_low": 14.0,
             "healing_day_high": 56.0, "recurred": "yes", "baseline_diameter_mm": 3.1}
        )  # fmt: skip
        gathered["outcomes_by_subject"].append({"subject_id": subject, "n_active_baseline": 1, "n_new": 0})
    frames = {name: tables.from_rows(name, rows) for name, rows in gathered.items()}
    frames["queries"] = list_queries(make_study(root), frames)
    frames["outcomes"]["area_reduction_week_2_pct"] = 54.0
    run = {"ulcermeter": "0.1.0", "run_id": "00ff", "started": "2024-08-01T10:00:00Z", "model_sha256": "ab" * 32,
           "packages": {"numpy": "2.1"}, "photos": {"a.jpg": "cd"}}  # fmt: skip
    outlines = frames.pop("outlines")
    return Results(root=root, run=run, read_outlines=lambda: outlines, **frames)


def make_study(root: Path) -> Study:
    names = ("photos", "subjects", "ulcers", "treatments", "refractory", "visits", "events")
    empty = {name: tables.empty(f"study/{name}") for name in names}
    return Study(root=root, protocol=read_protocol("manus"), **empty)


@lru_cache
def noise_jpeg() -> bytes:
    """Noise is the hardest picture to keep small."""
    noise = np.random.default_rng(0).normal(150, 25, (600, 800, 3))
    ok, data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 1.2).clip(0, 255).astype(np.uint8))
    assert ok
    return data.tobytes()


def write_noise_pictures(results: Results, rows: int = 1) -> None:
    photos = results.photos.head(rows)
    names = [overlay_name(*place) for place in zip(photos["photo"], photos["hand"], photos["finger"], strict=True)]
    write_pictures(results.root, ((name, noise_jpeg(), noise_jpeg()) for name in names))


SUBJECTS = {"S01": "eligible", EVIL: "not eligible", "S03": "undetermined"}


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Results]:
    """Return the report as one file."""
    root = tmp_path_factory.mktemp("study")
    results = make_results(root / "results", SUBJECTS)
    write_noise_pictures(results)
    out = write_report(make_study(root), results, root / "results" / "report.html", single_file=True)
    return out.read_text(encoding="utf-8"), results


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the report's pages by their path: the overview, and one a subject."""
    root = tmp_path_factory.mktemp("study")
    results = make_results(root / "results", SUBJECTS)
    write_noise_pictures(results)
    stale = root / "results" / "report" / "gone.html"
    stale.write_text("of an earlier run")
    write_report(make_study(root), results, root / "results" / "report.html")
    found = sorted((root / "results").rglob("*.html"))
    return {path.relative_to(root / "results").as_posix(): path.read_text(encoding="utf-8") for path in found}


class Page(HTMLParser):
    """Collects what a browser would see: tags, their attributes, ids and links."""

    VOID = frozenset({"meta", "img", "br", "col", "link", "hr", "input", "wbr"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing at {self.getpos()}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, attribute: str) -> list[str]:
        return [value for _, attrs in self.tags if (value := attrs.get(attribute)) is not None]


def test_page_is_well_formed_with_unique_ids_and_working_anchors(written: tuple[str, Results]) -> None:
    page = Page(written[0])
    assert page.faults == [] and page.open == []
    ids = page.values("id")
    assert len(ids) == len(set(ids))
    assert {link[1:] for link in page.values("href") if link.startswith("#")} <= set(ids)
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")


def test_every_subject_has_a_page_linked_both_ways(pages: dict[str, str]) -> None:
    names = set(pages) - {"report.html"}
    assert len(names) == len(SUBJECTS) and "report/S01.html" in names
    assert {link for link in Page(pages["report.html"]).values("href") if link.endswith(".html")} == names
    for name in names:
        page = Page(pages[name])
        assert page.faults == [] and page.open == [] and "../report.html" in page.values("href")
        assert len(page.values("id")) == len(set(page.values("id")))
        beside = {link for link in page.values("href") if link.endswith(".html")} - {"../report.html"}
        assert {f"report/{link}" for link in beside} < names
    pictures = [source for source in Page(pages["report/S01.html"]).values("src") if not source.startswith("data:")]
    assert pictures == ["pictures/photos__S01_screening.jpg.left-index.jpg"]


def test_a_hostile_name_runs_on_no_page(pages: dict[str, str]) -> None:
    assert all("<script" not in html.lower() and "url(" not in html for html in pages.values())
    assert EVIL in "".join(Page(pages["report.html"]).text)
    assert all("/" not in name.removeprefix("report/") and "<" not in name for name in pages)


def test_what_fails_or_is_open_stands_before_what_passes(tmp_path: Path) -> None:
    results = make_results(tmp_path, {"S01": "undetermined"})
    criteria = results.eligibility
    criteria.loc[criteria.index[-1], "effect"] = "fails"
    subject = Subjects(make_study(tmp_path), replace(results, eligibility=criteria), inside=False).of("S01")
    assert [row["effect"] for row in subject["asked"]] == ["fails", "unknown"]
    assert len(subject["asked"]) + len(subject["passed"]) == len(criteria)


def test_evidence_of_an_ulcer_stands_once(pages: dict[str, str]) -> None:
    html = pages["report/S01.html"]
    assert "evidence for active_ulcer" not in html and html.count("see the ulcers below") == 3


def test_a_strip_shows_each_visit_and_marks_where_the_ulcer_was(tmp_path: Path) -> None:
    results = make_results(tmp_path, {"S01": "eligible"})
    places = {"finger_s_mm": 10.0, "finger_t_mm": -2.0}
    results = replace(results, measurements=results.measurements.assign(**places))
    ok, view = cv2.imencode(".jpg", np.full((FINGER_VIEW_PX[1], FINGER_VIEW_PX[0], 3), 90, np.uint8))
    photos = results.photos
    names = [overlay_name(*place) for place in zip(photos["photo"], photos["hand"], photos["finger"], strict=True)]
    write_pictures(tmp_path, ((name, None, view.tobytes()) for name in names))
    strip = Subjects(make_study(tmp_path), results, inside=False).of("S01")["ulcers"][0]["photos"]
    assert ok and [photo["visit"] for photo in strip] == [visit for visit, *_ in VISITS]
    # The view begins 5 mm before the tip and 13 mm to the left; 20 mm are shown, the ulcer in their middle.
    assert {(photo["left"], photo["top"]) for photo in strip} == {(50 - 5 * 11, 50 - 5 * 15)}
    # Marked on the photo that shows none and on the refused one, 1.5 times as wide as it was last seen: 2.1 mm.
    assert [photo["ring"] and round(photo["ring"], 2) for photo in strip] == [None, None, None, 15.75, 15.75, None]
    assert [photo["missing"] for photo in strip][4] == "none found here"


def test_long_tables_are_cut_short_and_say_so(tmp_path: Path) -> None:
    results = make_results(tmp_path, {"S01": "eligible"})
    many = tables.from_rows("retake", [{"subject_id": "S01", "photo": f"{n}.jpg", "priority": 3} for n in range(300)])
    html = write_report(make_study(tmp_path), replace(results, retake=many), tmp_path / "report.html").read_text()
    assert "250.jpg" not in html.replace("<wbr>", "") and "Photos to take again (300)" in html


def test_nothing_comes_from_outside_and_nothing_runs(written: tuple[str, Results]) -> None:
    page = Page(written[0])
    assert all(source.startswith("data:image/") for source in page.values("src"))
    assert all(link.startswith(("#", "overlays/")) for link in page.values("href"))
    assert not {"script", "link", "iframe", "object"} & {tag for tag, _ in page.tags}
    assert "url(" not in written[0] and "@import" not in written[0]


def test_text_from_the_tables_is_shown_and_never_run(written: tuple[str, Results]) -> None:
    assert "<script" not in written[0].lower()
    assert EVIL in "".join(Page(written[0]).text)


def test_the_notice_and_every_part_stand_in_it(written: tuple[str, Results]) -> None:
    text = " ".join(" ".join(Page(written[0]).text).split())
    assert NOTICE in text
    for words in (
        "Photos to take again", "tilt 46°: hold the phone parallel to the card", "called healed by the machine alone",
        "this photo cannot tell whether it is over 2 mm", "low confidence", "the photos contradict the physician",
        "ulcers.csv, painful", "evidence for active_ulcer", "2.10 (1.89–2.31)", "14 to 56", "week 4 28 ± 5",
        "run id 00ff", "ab" * 32,
        "Mesenchymal"[1:].lower(), "held level with the ulcer is level to about a millimetre",
    ):  # fmt: skip
        assert words in text, words
    protocol = read_protocol("manus")
    assert all(f"<code>{parameter.name}</code>" in written[0] for parameter in protocol.assumptions())
    assert protocol.sha256 in text


def test_quality_is_told_as_a_share_of_what_was_judged(written: tuple[str, Results]) -> None:
    cells = re.search(r"even light</th>(.*?)</tr>", written[0])
    assert cells is not None
    assert re.findall(r">(\d+|–)<", cells[1]) == ["3", "15", "20", "17"]  # 1 of 5 judged photos, three subjects
    blank = re.search(r"in focus</th>(.*?)</tr>", written[0])
    assert blank is not None and re.findall(r">(\d+|–)<", blank[1]) == ["0", "0", "–", "77"]


def test_photos_are_accounted_for(written: tuple[str, Results]) -> None:
    html, results = written
    counted = dict(re.findall(r"<li><span>([a-z ]+)</span><span>(\d+)</span></li>", html))
    statuses = ("measured", "no ulcer", "refused", "failed")
    assert sum(int(counted[status]) for status in statuses) == len(results.photos)
    assert sum(tag == "figure" for tag, _ in Page(html).tags) == len(results.photos)


def test_the_same_inputs_give_the_same_bytes_and_no_clock(written: tuple[str, Results], tmp_path: Path) -> None:
    html, results = written
    study = make_study(results.root.parent)
    again = write_report(study, results, tmp_path / "again.html", single_file=True)
    assert again.read_text(encoding="utf-8") == html
    assert "2024-08-01" not in html
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


@pytest.mark.parametrize("count", [1, 45, 150, 400])
def test_a_page_of_many_photos_stays_small(tmp_path: Path, count: int) -> None:
    """Noise is the hardest picture to keep small."""
    noise = np.random.default_rng(0).normal(150, 25, (FINGER_VIEW_PX[1], FINGER_VIEW_PX[0], 3))
    ok, data = cv2.imencode(".jpg", cv2.GaussianBlur(noise, (0, 0), 1.2).clip(0, 255).astype(np.uint8))
    write_pictures(tmp_path, [("a.jpg", None, data.tobytes())])
    source = Pictures(tmp_path, inside=True, count=count).source("a.jpg")
    assert ok and source.startswith("data:image/jpeg") and count * len(source) < 6_000_000


def test_an_empty_study_still_gives_a_page(tmp_path: Path) -> None:
    html = write_report(make_study(tmp_path), make_results(tmp_path, {}), tmp_path / "report.html").read_text()
    assert "Nothing is asked." in html
    assert "None: every photo was readable and passed the gates." in html


def test_queries_stand_under_who_can_answer_them_those_that_touch_a_verdict_first(tmp_path: Path) -> None:
    results = make_results(tmp_path, {"S01": "eligible"})
    asked = [
        ("q-1", "reader", "which ulcer", "no", "yes", "ambiguous identity"),
        ("q-2", "clinic", "cell to check", "no", "no", "late"),
        ("q-3", "clinic", "missing answer", "yes", "no", "empty"),
    ]
    names = ("query_id", "answered_by", "kind", "touches_verdict", "touches_outcome", "observed")
    rows = [{"subject_id": "S01", **dict(zip(names, row, strict=True))} for row in asked]
    results = replace(results, queries=tables.from_rows("queries", rows))
    html = write_report(make_study(tmp_path), results, tmp_path / "report.html").read_text()
    places = [html.index(f'<code class="soft">{name}</code>') for name in ("q-3", "q-2", "q-1")]
    assert places == sorted(places)
    assert html.index("answered by the clinic") < places[0] and places[1] < html.index("answered by the reader")


def test_possible_ulcers_are_not_counted_at_the_threshold(tmp_path: Path) -> None:
    results = make_results(tmp_path, {"S01": "eligible"})
    found = results.measurements.assign(presence="ulcer", reader="machine", over_threshold="uncertain")
    found.loc[found["visit"] == "week 12", "presence"] = "possible"
    counted = dict(gather(make_study(tmp_path), replace(results, measurements=found))["counts"]["over"])
    assert counted["uncertain"] == len(found) - 1


def test_evidence_is_parted_outside_brackets() -> None:
    evidence = "3.1 mm (95 % 2.9-3.4; size alone); flag: a fissure?; (a) no (flag: judged before 2016-05-16)"
    assert pieces(evidence) == [
        "3.1 mm (95 % 2.9-3.4; size alone)", "flag: a fissure?", "(a) no (flag: judged before 2016-05-16)"
    ]  # fmt: skip
    assert pieces("") == []
