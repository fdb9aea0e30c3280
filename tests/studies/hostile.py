"""What becomes of damaged files: `python tests/studies/hostile.py [--count N] [--seed S] [--jobs J] [--only KIND]`.

Seeded damage to JPEG, PNG, TIFF, HEIC, DICOM, tracings, a study's tables, protocols, networks and stores: flipped bits,
runs of bytes zeroed, doubled, deleted, inserted and exchanged, truncation, other sizes, offsets and counts, cells and
values of another kind. Each is worked on in a process of its own, as `ulcermeter run` does, and comes to one outcome.

A damage that gives another valid cell, parameter or weight, or changes pixels that their format does not protect (no
checksum: plain, LZW and packbits TIFF, plain, run-length and deflated DICOM, JPEG 2000, HEIC, JPEG codes of which
libjpeg does not complain) is not counted: it is listed with its effect. Photos are drawn, with ulcers of 1.8, 2.0, 2.2
and 3.4 mm; what is right is what the whole file gives. Exit status 1 where a column that must be 0 is not.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mutations.kinds import KINDS, pieces_of, try_pieces
from mutations.pieces import FAULTS, MOST_MB, MOST_S, Answer, Outcome, Piece, sentence_kind

Tried = dict[str, list[tuple[Piece, Answer]]]


def print_table(answers: Tried) -> None:
    """Print a row for each kind, what is listed, and what is at fault."""
    columns = list(Outcome)
    print(f"\n{'':8} {'tried':>6} " + " ".join(f"{outcome.value:>16}" for outcome in columns))
    total: Counter[Outcome] = Counter()
    for name, tried in answers.items():
        counts = Counter(answer.outcome for _, answer in tried)
        total += counts
        print(f"{name:8} {len(tried):6} " + " ".join(f"{counts[o]:{max(16, len(o.value))}}" for o in columns))
    whole = sum(len(tried) for tried in answers.values())
    print(f"{'all':8} {whole:6} " + " ".join(f"{total[o]:{max(16, len(o.value))}}" for o in columns))


def print_details(answers: Tried) -> None:
    """Print what was listed and what is at fault, each with its seed, and the sentences by kind."""
    for outcome in (Outcome.LISTED, *FAULTS):
        found = [(piece, a) for tried in answers.values() for piece, a in tried if a.outcome is outcome]
        if found:
            print(f"\n{outcome.value}:")
        for piece, a in found:
            print(f"  {piece.kind} {piece.base} seed {piece.seed}: {a.mutation}: {a.effect[:300]}")
    for name, tried in answers.items():
        said = Counter(sentence_kind(a.effect) for _, a in tried if a.outcome is Outcome.REFUSED)
        print(f"\nsentences, {name}:" if said else "", *(f"\n  {n:5} {text}" for text, n in said.most_common(12)))
    every = [a for tried in answers.values() for _, a in tried]
    slowest, largest = max(a.seconds for a in every), max(a.peak_mb for a in every)
    print(f"\nlongest computing {slowest:.1f} s of {MOST_S:.0f}, most memory {largest:.0f} MB of {MOST_MB:.0f}")


def run(names: Sequence[str], *, count: int, seed: int, jobs: int) -> Tried:
    """Try all kinds; return what came of each piece, by kind."""
    answers: Tried = {}
    shares = sum(KINDS[name].share for name in names)
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            start = time.monotonic()
            wanted = max(1, round(count * KINDS[name].share / shares))
            pieces = pieces_of(name, count=wanted, seed=seed, folder=Path(folder) / name)
            if not pieces:
                print(f"{name}: not tried, as no whole file can be written here: pip install pillow-heif", flush=True)
                continue
            answers[name] = list(try_pieces(pieces, jobs=jobs))
            faults = sum(a.outcome in FAULTS for _, a in answers[name])
            print(f"{name}: {len(pieces)} tried in {time.monotonic() - start:.0f} s, {faults} at fault", flush=True)
    return answers


def main() -> int:
    """Try, print, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--only", choices=list(KINDS), action="append")
    given = parser.parse_args()
    answers = run(given.only or list(KINDS), count=given.count, seed=given.seed, jobs=given.jobs)
    print_details(answers)
    print_table(answers)
    return int(any(a.outcome in FAULTS for tried in answers.values() for _, a in tried))


if __name__ == "__main__":
    sys.exit(main())
