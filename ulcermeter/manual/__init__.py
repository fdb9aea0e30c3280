"""The manual: what users read, one Markdown page a topic; `ulcermeter manual` prints it.

Between ``<!-- generated NAME -->`` and ``<!-- end -->`` a page is written by ``tests/manual/write_manual.py`` from the
code, and a test finds it stale.
"""

from __future__ import annotations

import re
from importlib import resources

__all__ = ["TOPICS", "read_topic"]

TOPICS = {
    "photographing": "How to take a photo that can be measured, and what to lay beside the ulcer.",
    "study": "The folder of a study: which files it holds and what a run makes of it.",
    "answers": "How identity, states, healing, eligibility and outcomes are decided, rule by rule.",
    "queries": "What has to be asked about a study, of whom, and what was answered since.",
    "outlines": "Correct an outline or draw one by hand, and hand it in.",
    "review": "The reader's page: look, correct, confirm; blinded readers; what the log proves.",
    "tables": "Every column of every file that is read or written, with unit and allowed values.",
    "commands": "Every command with its options, and what the exit status means.",
    "large": "Thousands of photos: a run that was stopped goes on, and one on a cluster.",
    "protocol": "The rules of a trial as data: change a threshold, a limit, a visit or a criterion.",
    "accuracy": "What a diameter and its interval are, how far they were tested, and their limits.",
    "coordinates": "Photo pixels, plane millimetres, finger millimetres: axes, origins and signs.",
    "python": "The same job from Python, step by step.",
    "privacy": "What leaves the machine (nothing), and what a results folder tells of persons.",
}
"""Topic: what its page answers; in the order in which a newcomer needs them."""


def read_topic(topic: str) -> str:
    """Return a page of the manual as Markdown, without the marks of what is generated.

    Parameters
    ----------
    topic : str
        A key of `TOPICS`.

    Returns
    -------
    str
    """
    page = resources.files("ulcermeter.manual") / f"{topic}.md"
    return re.sub(r"<!-- .*? -->\n+", "", page.read_text(encoding="utf-8"))
