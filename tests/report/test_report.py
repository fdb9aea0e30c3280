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
from ulcermeter.protocol import read_protocol
from ulcermeter.queries import list_queries
from ulcermeter.report import write_report
from ulcermeter.report.content import gather
from ulcermeter.report.formatting import pieces
from ulcermeter.store import overlay_name
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
    return Results(root=root, run=run, **frames)


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


def write_noise_overlay(results: Results, row: int = 0) -> None:
    photo = results.photos.iloc[row]
    path = results.root / "overlays" / overlay_name(photo["photo"], photo["hand"], photo["finger"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(noise_jpeg())


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Results]:
    root = tmp_path_factory.mktemp("study")
    results = make_results(root / "results", {"S01": "eligible", EVIL: "not eligible", "S03": "undetermined"})
    write_noise_overlay(results)
    out = write_report(make_study(root), results, root / "results" / "report.html")
    return out.read_text(encoding="utf-8"), results


class Page(HTMLParser):
    """Collects what a browser would see: tags, their attributes, ids and links."""

    VOID = frozenset({"meta", "img", "br", "col", "link", "hr", "input"})

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
    assert write_report(study, results, tmp_path / "again.html").read_text(encoding="utf-8") == html
    assert "2024-08-01" not in html
    assert [path.name for path in tmp_path.iterdir()] == ["again.html"]


def test_a_page_of_many_photos_stays_small(tmp_path: Path) -> None:
    results = make_results(tmp_path, {f"S{n:02d}": "eligible" for n in range(1, 9)})
    assert len(results.photos) >= 45
    for row in range(len(results.photos)):
        write_noise_overlay(results, row)
    assert write_report(make_study(tmp_path), results, tmp_path / "report.html").stat().st_size < 6_000_000


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
