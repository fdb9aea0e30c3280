"""Two readers of one results folder, compared: what each said alone, and what one of them missed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from ulcermeter.agreement import agreement
from ulcermeter.cli import main
from ulcermeter.errors import StudyError
from ulcermeter.pipeline.reader_tables import tables_of_reader
from ulcermeter.readings import PlaceReading, PlaceVerdict, ReadingLog, UlcerReading, UlcerVerdict, state_of
from ulcermeter.store import KeptResults


@pytest.fixture(scope="module")
def read_twice(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """R1 draws both ulcers 10 % larger than the machine, R2 the first as it is and says the other is healed."""
    root = Path(shutil.copytree(finished, tmp_path_factory.mktemp("twice") / "results"))
    results = [result for _, result in KeptResults(root).results() if result.outlines]
    for reader, factor, occasion in (("R1", 1.1, 1), ("R1", 1.05, 2), ("R2", 1.0, 1)):
        for number, result in enumerate(results):
            photo = result.photo
            points = result.outlines[0][1]
            drawn = points.mean(axis=0) + factor * (points - points.mean(axis=0)) + 1e-3
            ulcers = (UlcerReading(1, UlcerVerdict.ADDED, drawn),)
            place = (photo["photo"], photo["hand"], photo["finger"])
            one = PlaceReading(reader, place, photo["sha256"], occasion=occasion, whole=True, ulcers=ulcers)
            if reader == "R2" and number:
                one = PlaceReading(reader, place, photo["sha256"], whole=True, verdict=PlaceVerdict.HEALED)
            cells = dict(zip(("photo", "hand", "finger"), place, strict=True))
            ReadingLog(root).append(
                who=reader, action="reading edit", after=state_of(one), photo_sha256=photo["sha256"], **cells
            )
    return root


def test_two_readers_are_compared_with_what_one_missed(read_twice: Path) -> None:
    (first, outlines_a), (second, outlines_b) = (tables_of_reader(read_twice, reader) for reader in ("R1", "R2"))
    assert set(first["reader"]) == {"R1"} and second["label"].isna().sum() == 1
    got = agreement(first, second, outlines_a=outlines_a, outlines_b=outlines_b)
    assert got["counts"].iloc[0].to_dict() == {"n_read": 1, "n_accepted": 0, "n_machine": 0}
    calls = got["calls"].iloc[0]
    # Both say yes of one; of the other R1 says yes and R2 none: no agreement beyond chance.
    assert calls["n"] == 1 and calls["n_with_missed"] == 2 and calls["kappa_with_missed"] == pytest.approx(0)


def test_one_readers_two_occasions_are_compared(read_twice: Path) -> None:
    done = CliRunner().invoke(main, ["agreement", f"{read_twice}@R1", f"{read_twice}@R1:2"])
    assert done.exit_code == 0, done.output
    assert "2 ulcers in both readings" in done.output and "Of these 2 read again" in done.output


def test_a_reader_who_has_not_read_is_named(read_twice: Path) -> None:
    with pytest.raises(StudyError, match="R9"):
        tables_of_reader(read_twice, "R9")
    with pytest.raises(StudyError, match="shown again"):
        tables_of_reader(read_twice, "R2", occasion=2)
