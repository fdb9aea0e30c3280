"""matplotlib, loaded so that it leaves nothing in the home folder."""

from __future__ import annotations

import os
import sys
import tempfile
from types import ModuleType

__all__ = ["load_matplotlib"]

_FOLDER = "MPLCONFIGDIR"


def load_matplotlib() -> ModuleType:
    """Import matplotlib with a folder of its own for the font list that it writes, which is removed again.

    Without one it makes folders under the home folder and leaves its list of fonts there. Where the caller has loaded
    matplotlib's fonts already, that has happened, and it is taken as it is.

    Returns
    -------
    module
    """
    if "matplotlib.font_manager" not in sys.modules:
        given = os.environ.get(_FOLDER)
        with tempfile.TemporaryDirectory(prefix="ulcermeter-") as folder:
            os.environ[_FOLDER] = folder
            try:
                import matplotlib.font_manager
            finally:
                if given is None:
                    del os.environ[_FOLDER]
                else:
                    os.environ[_FOLDER] = given
    import matplotlib

    return matplotlib
