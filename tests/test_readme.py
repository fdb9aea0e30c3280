"""What the README names is there: commands, files, rules."""

from __future__ import annotations

import re
from pathlib import Path

from ulcermeter.cli import COMMANDS
from ulcermeter.protocol import read_protocol

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")


def test_every_command_is_told_and_every_told_command_exists() -> None:
    told = set(re.findall(r"(?:`|bin/|    )ulcermeter ([a-z]+)", README))
    assert told == set(COMMANDS)


def test_links_and_pictures_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert not [link for link in links if not (REPOSITORY / link).exists()]


def test_rules_that_are_named_exist() -> None:
    parameters = read_protocol("manus").values
    named = re.findall(r"`([a-z_]+_(?:max|min)_?[a-z]*|[a-z_]+_(?:min|max))`", README)
    assert len(named) >= 5
    assert not [name for name in named if name not in parameters]


def test_the_protocol_example_can_be_read(tmp_path: Path) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", README, flags=re.DOTALL)
    path = tmp_path / "protocol.toml"
    path.write_text(example, encoding="utf-8")
    assert read_protocol(path).measurement.threshold_diameter_mm == 3.0


def test_python_names_are_public() -> None:
    import ulcermeter as um

    assert not [name for name in re.findall(r"\bum\.([a-z_]+)", README) if name not in um.__all__]
