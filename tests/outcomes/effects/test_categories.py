"""No, episodic, recurrent, chronic: the DUO registry's words, each case by hand."""

from __future__ import annotations

import itertools

import pandas as pd
import pytest
from outcome_cases import PROTOCOL

from ulcermeter.datatypes import UlcerCategory
from ulcermeter.outcomes.effects import categorise_subjects, category_of, count_categories

C = UlcerCategory
WORDS = {"o": True, "-": False, "?": None}


@pytest.mark.parametrize(
    ("visits", "category"),
    [
        ("---", C.NONE),
        ("-o-", C.EPISODIC),  # one visit with an ulcer
        ("o--", C.EPISODIC),
        ("oo-", C.RECURRENT),  # two with, one without
        ("o-o", C.RECURRENT),
        ("ooo", C.CHRONIC),
        ("oooooo", C.CHRONIC),
        ("oooo-o", C.RECURRENT),
        ("o-?", C.UNKNOWN),  # episodic, or recurrent if the third had one
        ("oo?", C.UNKNOWN),  # recurrent or chronic
        ("--?", C.UNKNOWN),  # none or episodic
        ("oo-?", C.RECURRENT),  # whatever the fourth was
        ("oo-?-?", C.RECURRENT),
        ("oo", C.UNKNOWN),  # the registry asks for three visits
        ("", C.UNKNOWN),
    ],
)
def test_categories_by_hand(visits: str, category: C) -> None:
    assert category_of([WORDS[v] for v in visits]) is category


@pytest.mark.parametrize("answers", list(itertools.product((True, False, None), repeat=4)))
def test_knowing_more_never_turns_a_category_round(answers: tuple[bool | None, ...]) -> None:
    told = category_of(answers)
    for i, answer in enumerate(answers):
        if answer is None and told is not C.UNKNOWN:
            assert {category_of([*answers[:i], more, *answers[i + 1 :]]) for more in (True, False)} == {told}


def test_subjects_from_their_counts_and_by_arm() -> None:
    """Visits not reached yet do not count; one missed in between may have been either."""
    names = ("48h", "week_2", "week_4", "week_8", "week_12", "week_24", "week_52")
    counts = {
        "S01": (1, 2, 1, 1, None, None, None),
        "S02": (1, 0, None, 0, 0, 0, 0),
        "S03": (1, 1, None, 0, 0, 0, 0),
        "S04": (0, 0, 0, 0, 0, 0, 0),
    }
    rows = [{"subject_id": s} | dict(zip((f"n_active_{n}" for n in names), c, strict=True)) for s, c in counts.items()]
    table = pd.DataFrame(rows)
    table = table.astype({column: "Int64" for column in table.columns[1:]})
    found = categorise_subjects(table, protocol=PROTOCOL)
    assert found == {"S01": C.CHRONIC, "S02": C.UNKNOWN, "S03": C.RECURRENT, "S04": C.NONE}
    counted = count_categories(found, {"S01": "A", "S02": "A", "S03": "B", "S04": "B"})
    assert {(e.arm, e.outcome): e.estimate for e in counted if e.estimate} == {
        ("A", "chronic"): 1, ("A", "unknown"): 1, ("B", "recurrent"): 1, ("B", "no ulcer"): 1,
    }  # fmt: skip
