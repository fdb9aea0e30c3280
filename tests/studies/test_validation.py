"""The full validation against its requirements: a quarter of an hour; run with ``-m slow``."""

from __future__ import annotations

from pathlib import Path

import pytest

from ulcermeter.validation import Validation, validate

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Validation:
    folder: Path = tmp_path_factory.mktemp("validation") / "out"
    return validate(folder, size="full", jobs=2, command=["tests"])


def test_every_requirement_is_met(found: Validation) -> None:
    # A kind of reference whose photos were all refused has reached nothing and broken nothing.
    judged = [t for t in found.targets if t.n or "working range" in t.of]
    missed = [f"{t.of}: {t.text}; reached {t.value:.3f}, n {t.n}" for t in judged if t.met != "yes"]
    assert not missed, "\n".join(missed)


def test_outside_its_range_it_refuses_or_its_interval_holds(found: Validation) -> None:
    swept = found.phantoms[(found.phantoms["sample"] == "sweep") & (found.phantoms["mode"] == "geometry")]
    measured = swept[swept["found"] == "yes"]
    assert (measured["covered"] == "yes").mean() >= 0.93


def test_nothing_failed(found: Validation) -> None:
    assert not (found.phantoms["status"] == "failed").any()
