"""What README, the manual and the other documents name is there: commands, files, rules, public names."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from ulcermeter.cli import COMMANDS
from ulcermeter.manual import TOPICS
from ulcermeter.protocol import read_protocol

REPOSITORY = Path(__file__).parent.parent
MANUAL = REPOSITORY / "ulcermeter" / "manual"
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
PAGES = {topic: (MANUAL / f"{topic}.md").read_text(encoding="utf-8") for topic in TOPICS}
OTHERS = ("CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md")


def told_in(text: str) -> set[str]:
    return set(re.findall(r"(?:`|bin/|    |## )ulcermeter ([a-z]+)", text))


def test_every_command_is_told_and_every_told_command_exists() -> None:
    assert told_in("".join(PAGES.values())) == set(COMMANDS)
    assert told_in(README) <= set(COMMANDS)


def test_readme_is_two_screens_and_leads_to_every_page() -> None:
    assert len(README.splitlines()) <= 110
    assert [topic for topic in TOPICS if f"](ulcermeter/manual/{topic}.md)" not in README] == []


@pytest.mark.parametrize("name", ["README.md", *OTHERS])
def test_links_and_pictures_lead_somewhere(name: str) -> None:
    text = (REPOSITORY / name).read_text(encoding="utf-8")
    links = [
        link
        for pair in re.findall(r'\]\(([^)#]+)\)|src="([^"]+)"', text)
        for link in pair
        if link and "://" not in link
    ]
    assert links or name != "README.md"
    assert not [link for link in links if not (REPOSITORY / link).exists()]


def test_every_study_of_the_instrument_is_named() -> None:
    text = (REPOSITORY / "CONTRIBUTING.md").read_text(encoding="utf-8")
    studies = [path.name for path in (REPOSITORY / "tests" / "studies").glob("*.py") if path.stem[:5] != "test_"]
    assert not [name for name in studies if name not in text]


def test_rules_that_are_named_exist() -> None:
    parameters = read_protocol("manus").values
    prose = README + "".join(page for topic, page in PAGES.items() if topic != "protocol")
    named = re.findall(r"`([a-z_]+_(?:max|min)_?[a-z]*|[a-z_]+_(?:min|max))`", prose)
    assert len(named) >= 5
    assert not [name for name in named if name not in parameters]


def test_python_names_are_public() -> None:
    import ulcermeter as um

    prose = README + "".join(PAGES.values())
    named = re.findall(r"\bum\.([a-z_]+)", prose)
    assert len(named) > 10
    assert not [name for name in named if name not in um.__all__]


ARCHITECTURE = (REPOSITORY / "ARCHITECTURE.md").read_text(encoding="utf-8")


def test_the_rooms_and_files_of_architecture_are_those_there_are() -> None:
    package = REPOSITORY / "ulcermeter"
    rooms = [path.name for path in package.iterdir() if path.is_dir() and not path.name.startswith("_")]
    assert not [room for room in rooms if f"{room}/" not in ARCHITECTURE]
    named = re.findall(r"`((?:tests/)?[a-z_]+(?:/[a-z_]+)*/(?:[a-z_]+\.(?:py|toml))?)`", ARCHITECTURE)
    assert len(named) > 20
    assert not [name for name in named if not ((package / name).exists() or (REPOSITORY / name).exists())]


def test_each_dependency_says_why() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    names = {re.split(r"[^\w.-]", one)[0] for one in wanted}
    assert not [name for name in names if not re.search(rf"^\|[^|]*\b{re.escape(name)}\b[^|]*\|", ARCHITECTURE, re.M)]


def test_the_changelog_keeps_its_form() -> None:
    text = (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^### (.*)$", text, flags=re.MULTILINE)
    assert set(headings) <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert re.findall(r"^## .*$", text, flags=re.MULTILINE)[0] == "## [Unreleased]"
