"""The stages in order: `measure_photo` for one photo row, `run_study` for a study folder."""

from __future__ import annotations

from ulcermeter.pipeline.one_photo import measure_photo
from ulcermeter.pipeline.whole_study import run_study

__all__ = ["measure_photo", "run_study"]
