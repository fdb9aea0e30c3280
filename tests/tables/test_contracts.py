"""Table contracts: whatever comes in, a table has all its columns, in order, of their kind, or every fault is told."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ulcermeter import tables
from ulcermeter.errors import TableError

KINDS = {"text": "str", "number": "float64", "count": "Int64"}


@pytest.mark.parametrize("name", tables.TABLES)
def test_an_empty_table_has_its_columns_and_dtypes(name: str) -> None:
    frame = tables.empty(name)
    assert list(frame.columns) == tables.columns(name) and len(frame) == 0
    for column in tables.TABLES[name].columns:
        assert str(frame[column.name].dtype) == KINDS[column.kind]


@pytest.mark.parametrize("name", tables.TABLES)
def test_every_column_says_what_it_means_and_units_stand_in_names(name: str) -> None:
    table = tables.TABLES[name]
    assert len({c.name for c in table.columns}) == len(table.columns)
    assert set(table.order) <= {c.name for c in table.columns}
    for column in table.columns:
        assert column.meaning
        for ending, unit in (("_mm", "mm"), ("_mm2", "mm2"), ("_px", "px"), ("_deg", "deg"), ("_pct", "%")):
            if column.name.endswith(ending) and "_per_" not in column.name:
                assert column.unit == unit, column


def test_what_a_row_lacks_is_not_known() -> None:
    frame = tables.from_rows("measurements", [{"photo": "a.jpg", "label": 1, "diameter_mm": 2.4}])
    row = frame.iloc[0]
    assert row["subject_id"] == "" and np.isnan(row["area_mm2"]) and row["day"] is pd.NA and row["label"] == 1


def test_all_faults_are_told_at_once() -> None:
    rows = [{"photo": "", "hand": "leftt", "x": "abc", "date": "2024"}, {"photo": "b.jpg", "hand": "left"}]
    with pytest.raises(TableError) as error:
        tables.from_rows("study/photos", rows)
    told = str(error.value)
    for part in ("row 2, photo", "'leftt'", "expected a number, got 'abc'", "'subject_id'", "row 3, date"):
        assert part in told


def test_a_broken_count_is_told() -> None:
    with pytest.raises(TableError, match="expected a whole number, got '1.5'"):
        tables.from_rows("measurements", [{"label": 1.5}])


def test_unknown_columns_raise_or_stay_behind_the_others() -> None:
    frame = pd.DataFrame({"colour": ["red"], "photo": ["a.jpg"]})
    with pytest.raises(TableError, match="colour"):
        tables.conform("photos", frame)
    kept = tables.conform("photos", frame, extra=True)
    assert list(kept.columns) == [*tables.columns("photos"), "colour"]


def test_missing_texts_become_empty_whatever_marks_them() -> None:
    frame = pd.DataFrame({"photo": ["a", None, np.nan, pd.NA]})
    assert tables.conform("photos", frame)["photo"].tolist() == ["a", "", "", ""]


numbers = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=False, width=32), st.integers(-9, 9))
rows = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "photo": st.sampled_from(["", "a.jpg", "-1", "NaN"]),
            "diameter_mm": numbers,
            "label": st.integers(0, 9),
        },
    ),
    max_size=5,
)


@given(rows)
def test_conforming_twice_changes_nothing(drawn: list[dict]) -> None:
    once = tables.from_rows("measurements", drawn)
    pd.testing.assert_frame_equal(tables.conform("measurements", once), once)


def test_the_input_is_left_as_it_was() -> None:
    frame = pd.DataFrame({"photo": ["a"], "n_ulcers": ["2"]}, index=[7])
    before = frame.copy()
    assert tables.conform("photos", frame)["n_ulcers"].tolist() == [2]
    pd.testing.assert_frame_equal(frame, before)
