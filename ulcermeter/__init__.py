"""ulcermeter: digital ulcers on visit photos, measured in millimetres with an interval.

Research use only, not a medical device: verdicts are proposals, the investigator decides.

The public names stand in `__init__.pyi`, which editors and type checkers read, and load on first use (PEP 562;
Scientific Python's SPEC 1), so that ``import ulcermeter`` stays fast.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
