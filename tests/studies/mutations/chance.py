"""Damage to bytes, drawn by a seed: what disks, copies, networks and careless programs do to files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

Span = tuple[int, int]
_RUNS = (1, 2, 7, 16, 64, 512, 4096)
_NUMBERS = (0, 1, 2, 3, 4, 7, 8, 12, 16, 255, 256, 1000, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 0xFFFFFF00)


@dataclass(frozen=True)
class Mutation:
    """Damaged bytes, in words what was done, and which bytes of the whole file it touched."""

    what: str
    data: bytes
    touched: tuple[Span, ...]

    def is_within(self, spans: Sequence[Span]) -> bool:
        """Tell whether all that was touched lies within these spans."""
        inside = [any(a <= start and end <= b for a, b in spans) for start, end in self.touched]
        return bool(inside) and all(inside)

    def without(self, spans: Sequence[Span], whole: bytes) -> bytes | None:
        """Return the file with only what was touched beyond these spans; None where bytes were added or taken out."""
        if len(self.data) != len(whole):
            return None
        data = bytearray(whole)
        for start, end in self.touched:
            if not any(a <= start and end <= b for a, b in spans):
                data[start:end] = self.data[start:end]
        return bytes(data)


def damage(whole: bytes, seed: int, spans: Sequence[Span] = ()) -> Mutation:
    """Damage bytes once; outside the spans of pixels (the head, sizes, tables) as often as in them."""
    rng = np.random.default_rng(seed)
    kinds: tuple[Callable[..., Mutation], ...] = (
        _flip, _flip, _flip, _flips, _zeros, _zeros, _noise, _repeat, _delete, _insert, _truncate, _swap, _number,
        _number, _number,
    )  # fmt: skip
    how = kinds[int(rng.integers(len(kinds)))]
    at = int(rng.integers(len(whole)))
    if spans and rng.random() < 0.6:
        at = _outside(rng, len(whole), spans)
    return how(whole, at, rng)


def _outside(rng: np.random.Generator, length: int, spans: Sequence[Span]) -> int:
    edges = [0, *(edge for span in sorted(spans) for edge in span), length]
    gaps = [(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b > a]
    if not gaps:
        return int(rng.integers(length))
    sizes = np.array([b - a for a, b in gaps], float)
    start, end = gaps[int(rng.choice(len(gaps), p=sizes / sizes.sum()))]
    return int(rng.integers(start, end))


def _run(whole: bytes, at: int, rng: np.random.Generator) -> Span:
    return at, min(len(whole), at + int(rng.choice(_RUNS)))


def _flip(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    bit = int(rng.integers(8))
    data = whole[:at] + bytes((whole[at] ^ 1 << bit,)) + whole[at + 1 :]
    return Mutation(f"bit {bit} of byte {at} flipped", data, ((at, at + 1),))


def _flips(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    data, places = bytearray(whole), [at, *map(int, rng.integers(0, len(whole), int(rng.integers(2, 20))))]
    for place in places:
        data[place] ^= 1 << int(rng.integers(8))
    return Mutation(f"{len(places)} bits flipped", bytes(data), tuple((p, p + 1) for p in places))


def _zeros(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    start, end = _run(whole, at, rng)
    return Mutation(f"{end - start} bytes from {at} zeroed", whole[:start] + bytes(end - start) + whole[end:],
                    ((start, end),))  # fmt: skip


def _noise(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    start, end = _run(whole, at, rng)
    return Mutation(f"{end - start} bytes from {at} by chance", whole[:start] + rng.bytes(end - start) + whole[end:],
                    ((start, end),))  # fmt: skip


def _repeat(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    start, end = _run(whole, at, rng)
    return Mutation(f"{end - start} bytes from {at} twice", whole[:end] + whole[start:], ((start, end),))


def _delete(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    start, end = _run(whole, at, rng)
    return Mutation(f"{end - start} bytes from {at} deleted", whole[:start] + whole[end:], ((start, end),))


def _insert(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    length = int(rng.choice(_RUNS))
    return Mutation(f"{length} bytes inserted at {at}", whole[:at] + rng.bytes(length) + whole[at:], ((at, at + 1),))


def _truncate(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    return Mutation(f"truncated at byte {at}", whole[:at], ((at, len(whole)),))


def _swap(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    length = int(rng.choice(_RUNS))
    other = int(rng.integers(len(whole)))
    a, b = sorted((min(at, len(whole) - length), min(other, len(whole) - length)))
    if a < 0 or b - a < length:
        return _flip(whole, at, rng)
    first, second = whole[a : a + length], whole[b : b + length]
    data = whole[:a] + second + whole[a + length : b] + first + whole[b + length :]
    return Mutation(f"{length} bytes at {a} and {b} exchanged", data, ((a, a + length), (b, b + length)))


def _number(whole: bytes, at: int, rng: np.random.Generator) -> Mutation:
    """Write another whole number of 1, 2 or 4 bytes: a size, an offset, a count, a tag."""
    width, order = int(rng.choice((1, 2, 4))), ("little", "big")[int(rng.integers(2))]
    if at + width > len(whole):
        return _flip(whole, at, rng)
    before = int.from_bytes(whole[at : at + width], order)  # type: ignore[arg-type]
    values = (*_NUMBERS, before + 1, before - 1, before * 2, before // 2, before ^ 0x80)
    value = int(rng.choice(values)) % 256**width
    data = whole[:at] + value.to_bytes(width, order) + whole[at + width :]  # type: ignore[arg-type]
    return Mutation(f"number at byte {at}: {before} to {value}", data, ((at, at + width),))
