"""What a run is named after."""

from __future__ import annotations

import pytest

from ulcermeter.errors import ModelError
from ulcermeter.finger import network as of_fingers
from ulcermeter.pipeline.run_identity import identify
from ulcermeter.protocol import default_protocol
from ulcermeter.quality import skin_network as of_skin


def identity():
    return identify(default_protocol(), model=None, lens=None)


@pytest.mark.parametrize("network", [of_fingers, of_skin], ids=["finger", "skin"])
def test_other_weights_are_another_run_and_missing_ones_none(network, tmp_path, monkeypatch) -> None:
    before = identity()
    assert identity() == before
    other = tmp_path / "other.onnx"
    other.write_bytes(network.WEIGHTS.read_bytes() + b" ")
    monkeypatch.setattr(network, "WEIGHTS", other)
    assert identity().run_id != before.run_id
    other.unlink()
    with pytest.raises(ModelError, match="install the package again"):
        identity()
