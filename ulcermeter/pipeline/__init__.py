"""The stages in order: `measure_photo` for one photo row, `run_study` for a study folder.

Each loads when it is used (`__init__.pyi`): the process that writes tables measures no photo, and the other way round.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
