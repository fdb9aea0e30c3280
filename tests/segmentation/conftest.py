from pathlib import Path

import pytest
from drawn_windows import RednessSession

from ulcermeter.segmentation.network import Model


@pytest.fixture
def redness():
    return Model(
        sha256="0" * 64,
        version="redness",
        temperature=1.0,
        logit_shift=0.0,
        path=Path("redness.onnx"),
        threads=1,
        session=RednessSession(),
    )
