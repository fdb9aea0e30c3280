"""Write averaged weights as the file that the package reads: `export_network.py finger|skin CHECKPOINT OUT VERSION`."""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from ulcermeter.finger.training import export as of_fingers
from ulcermeter.finger.training.architecture import FingerNetwork
from ulcermeter.quality.training import export as of_skin
from ulcermeter.quality.training.architecture import SkinNetwork

NETWORKS = {"finger": (FingerNetwork, of_fingers.write_onnx), "skin": (SkinNetwork, of_skin.write_onnx)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("version")
    given = parser.parse_args()
    content = torch.load(given.checkpoint, map_location="cpu", weights_only=True)
    make, write = NETWORKS[given.network]
    network = make()
    network.load_state_dict(content["average"])
    write(network.eval(), given.out, facts={"version": given.version, "steps": content["step"]})
    print(given.out, given.out.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
