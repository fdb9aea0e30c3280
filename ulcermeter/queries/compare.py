"""Today's queries against an earlier list: new, still open, answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STATUSES", "compare_queries"]

STATUSES = ("new", "open", "answered")


def compare_queries(queries: pd.DataFrame, *, since: pd.DataFrame) -> pd.DataFrame:
    """Say of every query whether it is new, still open, or answered: asked before and not asked any more.

    Parameters
    ----------
    queries : DataFrame
        Table ``queries`` of now.
    since : DataFrame
        Table ``queries`` of before.

    Returns
    -------
    DataFrame
        The columns of ``queries`` behind a column ``status``; new ones first, then open ones, then answered ones, each
        in the order of its list.
    """
    import pandas as pd

    known = queries["query_id"].isin(set(since["query_id"]))
    gone = ~since["query_id"].isin(set(queries["query_id"]))
    parts = zip(STATUSES, (queries[~known], queries[known], since[gone]), strict=True)
    rows = [part.assign(status=status) for status, part in parts]
    return pd.concat(rows, ignore_index=True)[["status", *queries.columns]]
