"""Write the averaged weights of a checkpoint of the skin network: `export_skin.py CHECKPOINT OUT.onnx VERSION`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ulcermeter.quality.training.architecture import SkinNetwork
from ulcermeter.quality.training.export import write_onnx


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("version")
    given = parser.parse_args()
    content = torch.load(given.checkpoint, map_location="cpu", weights_only=True)
    network = SkinNetwork()
    network.load_state_dict(content["average"])
    write_onnx(network.eval(), given.out, facts={"version": given.version, "steps": content["step"]})
    print(given.out, given.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
