"""The manual: its pages are whole, its commands, snippets and figures run, and what the code writes is not stale."""

from __future__ import annotations

import csv
import doctest
import re
import shlex
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from write_manual import BLOCKS, MARKED, PAGES, written

import ulcermeter as um
from ulcermeter.cli import COMMANDS, main
from ulcermeter.manual import TOPICS, read_topic
from ulcermeter.protocol import read_protocol
from ulcermeter.tables import TABLES
from ulcermeter.tables.flags import FlagKind
from ulcermeter.tables.outputs import STATES

REPOSITORY = PAGES.parents[1]
# README's fenced and indented examples are run as the manual's are.
TEXTS = {"README": REPOSITORY / "README.md", **{topic: PAGES / f"{topic}.md" for topic in TOPICS}}
SUBJECTS = ("S06", "S12")
# Too slow for a test, open until a person ends them, or in need of photos that are not here: these calls are only read,
NOT_RUN = ("adjudicate", "camera", "review", "train", "validate")
# Readings that no test makes there.
NOT_READ = "@R1"


def fenced(topic: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXTS[topic].read_text(encoding="utf-8"), flags=re.DOTALL)


def calls(topic: str) -> list[str]:
    """Return the indented lines that call ulcermeter; what README says before it (an environment) is left away."""
    lines = re.findall(r"^    (.*\bulcermeter .*)$", TEXTS[topic].read_text(encoding="utf-8"), flags=re.MULTILINE)
    told = [re.sub(r"^.*\bulcermeter ", "", line) for line in lines if "pip install -q -e" not in line]
    return [line for line in told if line.split()[0] in COMMANDS]


SNIPPETS = [(topic, code) for topic in TEXTS for code in fenced(topic, "python")]
IMPORTING = [(topic, code) for topic, code in SNIPPETS if code.startswith("import ulcermeter as um")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the repository is, with two subjects of the sample study and an allocation."""
    root = tmp_path_factory.mktemp("desk")
    study, whole = root / "sample_images" / "study", REPOSITORY / "sample_images" / "study"
    (study / "photos").mkdir(parents=True)
    for path in whole.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            header, *rows = list(csv.reader(file))
        kept = [row for row in rows if row[header.index("subject_id")] in SUBJECTS]
        with (study / path.name).open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows([header, *kept])
    for name in ("S01_screening_2024-04-22", *(f"{subject}_*" for subject in SUBJECTS)):
        for photo in whole.glob(f"photos/{name}.jpg"):
            shutil.copy(photo, study / "photos")
    (root / "allocation.csv").write_text("subject_id,arm\nS06,A\nS12,B\n", encoding="utf-8")
    return root


@pytest.fixture
def at_desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    if not (desk / "results").exists():
        done = CliRunner().invoke(main, ["run", "sample_images/study", "-o", "results"])
        assert done.exit_code == 0, done.output
    return desk


def test_every_topic_has_a_page_and_every_page_a_topic() -> None:
    assert sorted(TOPICS) == sorted(path.stem for path in PAGES.glob("*.md"))
    for topic in TOPICS:
        page = read_topic(topic)
        assert page.startswith("# ") and "<!--" not in page and len(page) > 500


@pytest.mark.parametrize("topic", TOPICS)
def test_what_the_code_writes_is_not_stale(topic: str) -> None:
    page = TEXTS[topic].read_text(encoding="utf-8")
    assert page == written(page), "run python tests/manual/write_manual.py"


def test_every_block_has_its_page() -> None:
    marked = [name for topic in TOPICS for _, name, _ in MARKED.findall(TEXTS[topic].read_text(encoding="utf-8"))]
    assert sorted(marked) == sorted(BLOCKS)


def test_links_and_named_topics_lead_somewhere() -> None:
    for topic in TOPICS:
        text = TEXTS[topic].read_text(encoding="utf-8")
        assert set(re.findall(r"`ulcermeter manual ([a-z]+)`", text)) <= set(TOPICS)
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
        assert not [link for link in links if not (PAGES / link).exists()]


@pytest.mark.parametrize("line", dict.fromkeys(line for topic in TEXTS for line in calls(topic)))
def test_its_commands_run(line: str, at_desk: Path) -> None:
    name, *words = shlex.split(line)
    if name in NOT_RUN or NOT_READ in line:
        command = main.get_command(None, name)  # type: ignore[arg-type]
        assert command is not None and command.make_context(name, words).params
    else:
        done = CliRunner().invoke(main, [name, *words])
        assert done.exit_code == 0, done.output


def test_the_row_that_readme_shows_is_what_is_measured(at_desk: Path) -> None:
    (call,) = [line for line in calls("README") if line.startswith("measure ")]
    _, photo, *options = shlex.split(call)
    given = dict(zip(options[:-1:2], options[1::2], strict=True))  # the last is --table
    row = {"photo": photo, "reference": given["--reference"], "reference_on": given["--reference-on"]}
    result = um.measure_photo(row, read_protocol("manus"), overlay=False)
    measured = {**result.photo, **result.measurements[0]}
    lines = [line for line in TEXTS["README"].read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    head = next(k for k, line in enumerate(lines) if line.startswith("| status |"))
    names, cells = ([cell.strip() for cell in lines[k].strip("|").split("|")] for k in (head, head + 1))
    shown = dict(zip(names, cells, strict=True))
    for name, cell in shown.items():
        # Another processor may round a pixel otherwise.
        wanted = pytest.approx(float(cell), abs=0.01) if name.endswith("_mm") else cell
        assert (float(measured[name]) if name.endswith("_mm") else measured[name]) == wanted, name


@pytest.mark.parametrize(("topic", "code"), IMPORTING, ids=[topic for topic, _ in IMPORTING])
def test_its_python_runs(topic: str, code: str, at_desk: Path) -> None:
    exec(code, {})


def test_its_sums_come_out() -> None:
    text = "".join(fenced("coordinates", "python"))
    examples = doctest.DocTestParser().get_doctest(text, {}, "coordinates", None, 0)
    assert len(examples.examples) > 8
    assert doctest.DocTestRunner().run(examples).failed == 0


def test_its_protocols_can_be_read(tmp_path: Path) -> None:
    read = []
    for topic in TEXTS:
        for example in fenced(topic, "toml"):
            path = tmp_path / "protocol.toml"
            path.write_text(example, encoding="utf-8")
            read.append(read_protocol(path))
    assert read[0].measurement.threshold_diameter_mm == 3.0
    assert read[1].healing.confirmation_days == 28


def test_what_answers_names_is_a_rule_a_column_or_a_flag() -> None:
    text = TEXTS["answers"].read_text(encoding="utf-8")
    known = {column.name for table in TABLES.values() for column in table.columns}
    known |= {*read_protocol("manus").values, *FlagKind}
    named = re.findall(r"`([a-z0-9]+(?:_[a-z0-9]+)+)`", text)
    assert len(named) > 20 and not [name for name in named if name not in known]
    states = [part for row in re.findall(r"^\| ([a-z, ]+) \|", text, flags=re.MULTILINE) for part in row.split(", ")]
    assert states == ["state", *STATES]


def test_the_snippets_that_are_not_run_here_are_run_elsewhere() -> None:
    others = [code for _, code in SNIPPETS if code not in [run for _, run in IMPORTING] and ">>>" not in code]
    assert len(others) == 1 and others[0].startswith("at = (outline")  # tests/segmentation/test_rasterised.py
