from .one_photo import measure_photo as measure_photo
from .whole_study import run_study as run_study

__all__ = ["measure_photo", "run_study"]
