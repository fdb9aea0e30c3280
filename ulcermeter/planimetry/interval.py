"""The 95 % interval of a diameter and an area: Monte Carlo over what is not known exactly."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ulcermeter.datatypes import Calibration, Finger, OutlineSource, Rim
from ulcermeter.datatypes.arrays import Reals
from ulcermeter.geometry import signed_area
from ulcermeter.planimetry.calipers import resample, transverse_width
from ulcermeter.planimetry.skin import SkinOutline, local_scale, tangent_frame
from ulcermeter.protocol import Protocol
from ulcermeter.statistics import Z_95

__all__ = ["TERMS", "Budget", "ErrorSizes", "SizeDraws", "draw_sizes", "error_sizes", "outline_offset_mm"]


TERMS = ("reference", "height", "outline", "slope")
# Of the outline that is drawn again and again: a circle's area is short by 0.3 % and its diameter by 0.2 %, in every
# draw alike.
_VERTICES = 48
# Per turn of the boundary's smooth wander: shape, not place (1) and no roughness (assumption).
_WAVES = (2, 3, 4, 5)
# Draws at a time: their arrays stay in the processor's cache.
_BLOCK = 100
# Height over the camera's distance, a share: beyond these a draw would lie under the table or at the lens (assumption).
_HEIGHT_SHARES = (-0.5, 0.8)
# How far a boundary is drawn inwards at most, in widths: short of the middle, where normals cross (assumption).
_INWARD_MOST = -0.45
# Least share of its length that the skin is seen under: beyond 70 degrees from the ray it shows nothing that could be
# measured (assumption).
_LEAST_FACING = 0.3
# Errors move vertices by a tenth of the diameter at most, of ulcers under 1.5 mm by a sixth (assumption): only vertices
# at least so far apart, as a share of the diameter, may become its ends.
_SMALL_MM = 1.5
_NEAR_LONGEST, _NEAR_LONGEST_SMALL = 0.8, 0.67


@dataclass(frozen=True)
class ErrorSizes:
    """Standard deviations of the interval's terms at one ulcer.

    Attributes
    ----------
    height_sd_mm : float
        Of the ulcer's height over the reference's plane.
    camera_rel_sd : float
        Of the camera's distance, as a fraction.
    offset_sd_mm, smooth_sd_mm : float
        Of the boundary: one offset common to the whole outline, and a smooth wander along it.
    slope_sd : float
        Of each component of the skin's gradient, mm per mm.
    """

    height_sd_mm: float
    camera_rel_sd: float
    offset_sd_mm: float
    smooth_sd_mm: float
    slope_sd: float


@dataclass(frozen=True)
class Budget:
    """Standard uncertainty of a diameter by each term alone, mm: the standard deviation of draws of that term.

    The terms are drawn independently of each other, so that they combine by their squares (GUM, JCGM 100:2008, 5.1.2);
    1.96 times the combined one is half the 95 % interval as far as the draws are normal and the model is linear.
    """

    reference_mm: float
    height_mm: float
    outline_mm: float
    slope_mm: float

    @property
    def combined_mm(self) -> float:
        """Combined standard uncertainty: the root of the sum of squares."""
        return float(np.sqrt(sum(getattr(self, f"{term}_mm") ** 2 for term in TERMS)))

    @property
    def dominant(self) -> str:
        """The largest term; empty where there is none."""
        return max(TERMS, key=lambda term: float(getattr(self, f"{term}_mm"))) if self.combined_mm > 0 else ""


@dataclass(frozen=True)
class SizeDraws:
    """Equally likely sizes: diameters (D,) in mm, areas (D,) in mm², and what each term has in the diameter's."""

    diameter_mm: NDArray[np.float64]
    area_mm2: NDArray[np.float64]
    budget: Budget


def error_sizes(
    calibration: Calibration,
    *,
    finger: Finger | None,
    rim: Rim | None,
    diameter_mm: float,
    source: OutlineSource,
    protocol: Protocol,
) -> ErrorSizes:
    """Collect the terms' sizes from the protocol, the calibration, the finger and the rim of the network's outline.

    The network's outline has the doubt that the network shows at its rim (`outline_offset_mm`), which holds its wander
    too, a reader's outline the reader's own error, `reader_boundary_sd_mm` and `boundary_smooth_sd_mm`, until it is
    measured; one given as truth has no such term.

    Parameters
    ----------
    calibration : Calibration
        From photo pixels to millimetres.
    finger : Finger or None
        The finger, or None when none was found.
    rim : Rim or None
        How far the network leaves the outline open; None for a tracing.
    diameter_mm : float
        Longest diameter, mm.
    source : OutlineSource
        Where the outline comes from.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    ErrorSizes
    """
    rules = protocol.measurement
    if calibration.reference_on == "skin":
        height = rules.height_skin_sd_mm
    elif finger is not None:
        height = 2 * float(np.hypot(finger.radius_sd_mm, rules.height_finger_sd_pct / 100 * finger.radius_mm))
    else:
        height = rules.height_table_sd_mm
    by_reader = source is OutlineSource.READER
    offset = rules.reader_boundary_sd_mm if by_reader else 0.0
    if rim is not None:
        offset = outline_offset_mm(rim, diameter_mm, protocol=protocol)
    slope_deg = rules.slope_unknown_sd_deg if finger is None else rules.slope_finger_sd_deg
    spread = calibration.distance_sd_mm / calibration.distance_mm
    return ErrorSizes(
        height_sd_mm=height,
        camera_rel_sd=float(spread) if np.isfinite(spread) else 0.0,
        offset_sd_mm=offset,
        smooth_sd_mm=rules.boundary_smooth_sd_mm if by_reader else 0.0,
        slope_sd=float(np.tan(np.radians(slope_deg))),
    )


def outline_offset_mm(rim: Rim, diameter_mm: float, *, protocol: Protocol) -> float:
    """Return the sd of the offset, common to the whole outline, that the network's own spread at the rim stands for.

    Half the 95 % interval of the diameter is `outline_spread_factor` times the rim's spread less what a sharp edge
    spreads over in the network's pixels (`outline_sharp_px`), at least `outline_least_px`. The factor is conformal: the
    95 % quantile of how far photographed wounds' diameters lie from their annotators', in that unit. An offset moves
    both ends of a diameter.

    Parameters
    ----------
    rim : Rim
        How far the network leaves the outline open.
    diameter_mm : float
        Longest diameter, mm.
    protocol : Protocol
        The trial's rules.

    Returns
    -------
    float
        Millimetres a side.
    """
    rules = protocol.measurement
    open_share = max(rim.spread - rules.outline_sharp_px * rim.pixel, rules.outline_least_px * rim.pixel)
    return float(rules.outline_spread_factor * open_share * diameter_mm / (2 * Z_95))


def draw_sizes(
    skin: SkinOutline,
    calibration: Calibration,
    *,
    centroid_px: Reals,
    diameter_mm: float,
    area_mm2: float,
    sizes: ErrorSizes,
    count: int,
    seed: str,
) -> SizeDraws:
    """Draw equally likely diameters and areas round their estimates.

    The outline on the skin, resampled to 48 vertices, is moved along its normals (outline) and deformed by the affine
    map that the draw's homography, height, camera distance and slope make of the ulcer's neighbourhood. A wander of
    the boundary makes a maximum larger on average; the draws are divided by the median of draws of that term alone,
    so that they lie round the estimate of the unperturbed outline. The slope's own shortening stays in.

    Parameters
    ----------
    skin : SkinOutline
        The outline where it lies.
    calibration : Calibration
        For the equally likely homographies.
    centroid_px : float (2,)
        Where on the photo the homographies are compared.
    diameter_mm : float
        The estimate that the draws lie round.
    area_mm2 : float
        The estimate that the draws lie round.
    sizes : ErrorSizes
        Standard deviations of the terms.
    count : int
        Number of draws D.
    seed : str
        Hashed (SHA-256) into the generator's seed.

    Returns
    -------
    SizeDraws
        Diameters and areas (D,), and the term without which the diameter's interval is narrowest.
    """
    rng = np.random.default_rng(int.from_bytes(hashlib.sha256(seed.encode()).digest()[:8], "big"))
    noise = _Noise.draw(rng, skin, calibration, centroid_px, sizes=sizes, count=count)
    shape = _Shape.of(skin)
    (lengths, areas), *by_term = shape.sizes(noise, [TERMS, *((term,) for term in TERMS)])
    alone = dict(zip(TERMS, by_term, strict=True))
    own, own_areas = (np.median(sizes) for sizes in alone["outline"])
    spread = {f"{term}_mm": float(diameter_mm * np.std(drawn) / own) for term, (drawn, _) in alone.items()}
    return SizeDraws(
        diameter_mm=diameter_mm * lengths / own, area_mm2=area_mm2 * areas / own_areas, budget=Budget(**spread)
    )


@dataclass(frozen=True)
class _Noise:
    """Draws of every term: reference (D, 2, 2), height factor (D,), boundary (D, V), gradient (D, 2)."""

    reference: Reals
    height: Reals
    boundary: Reals
    gradient: Reals

    @classmethod
    def draw(
        cls,
        rng: np.random.Generator,
        skin: SkinOutline,
        calibration: Calibration,
        centroid_px: Reals,
        *,
        sizes: ErrorSizes,
        count: int,
    ) -> _Noise:
        reference = np.repeat(np.eye(2)[None], count, axis=0)
        if len(calibration.draws):
            chosen = calibration.draws[rng.integers(len(calibration.draws), size=count)]
            reference = local_scale(calibration, chosen, centroid_px)
        height = skin.height_mm + sizes.height_sd_mm * rng.standard_normal(count)
        far = skin.camera_height_mm * np.exp(sizes.camera_rel_sd * rng.standard_normal(count))
        factor = np.ones(count)
        if np.isfinite(skin.camera_height_mm):
            factor = (1 - np.clip(height / far, *_HEIGHT_SHARES)) / (1 - skin.height_mm / skin.camera_height_mm)
        turn = 2 * np.pi * np.arange(_VERTICES) / _VERTICES
        waves = np.vstack([f(k * turn) for k in _WAVES for f in (np.cos, np.sin)]) / np.sqrt(len(_WAVES))
        boundary = sizes.offset_sd_mm * rng.standard_normal((count, 1))
        boundary = boundary + sizes.smooth_sd_mm * rng.standard_normal((count, len(waves))) @ waves
        gradient = skin.gradient + sizes.slope_sd * rng.standard_normal((count, 2))
        return cls(reference, factor, boundary, gradient)


@dataclass(frozen=True)
class _Shape:
    """The outline in its tangent plane, its normals, what sticks out of that plane, and how the photo saw it."""

    vertices: Reals
    normals: Reals
    relief: Reals
    inward_most: float
    gradient: Reals
    lean: Reals

    @classmethod
    def of(cls, skin: SkinOutline) -> _Shape:
        frame = tangent_frame(skin.gradient)
        edge = resample(skin.edge_mm, count=_VERTICES)
        edge = edge - edge.mean(axis=0)
        flat = edge @ frame.T
        ahead = np.roll(flat, -1, axis=0) - np.roll(flat, 1, axis=0)
        side = 1.0 if signed_area(flat) >= 0 else -1.0
        normals = side * np.column_stack([ahead[:, 1], -ahead[:, 0]])
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        narrow = transverse_width(flat)
        return cls(
            flat,
            normals,
            edge @ np.cross(*frame),
            _INWARD_MOST * narrow if np.isfinite(narrow) else 0.0,
            skin.gradient,
            skin.lean,
        )

    def sizes(self, noise: _Noise, choices: Sequence[tuple[str, ...]]) -> list[tuple[Reals, Reals]]:
        """Return diameters (D,) and areas (D,) under each choice of terms, the others held at their best values."""
        drawn = {}
        for moves in (False, True):
            # Those that the boundary moves under share its chords, which are most of the work.
            own = [terms for terms in choices if ("outline" in terms) is moves]
            boundary = np.maximum(noise.boundary if moves else np.zeros((1, _VERTICES)), self.inward_most)
            through = [self._through(noise, terms) for terms in own]
            metrics = [self._metric(noise, terms, by) for terms, by in zip(own, through, strict=True)]
            longest, flat = self._moved(boundary, metrics)
            for terms, by, lengths in zip(own, through, longest, strict=True):
                drawn[terms] = lengths, flat * np.linalg.det(by)
        return [drawn[terms] for terms in choices]

    def _gradient(self, noise: _Noise, terms: tuple[str, ...]) -> Reals:
        """Return the skin's rise (D, 2) of each draw."""
        return noise.gradient if "slope" in terms else np.repeat(self.gradient[None], len(noise.height), axis=0)

    def _metric(self, noise: _Noise, terms: tuple[str, ...], through: Reals) -> Reals:
        """Return the forms (D, 2, 2) that give squared lengths on the skin of steps in the tangent plane."""
        gradient = self._gradient(noise, terms)
        rise = np.eye(2) + gradient[:, :, None] * gradient[:, None, :]
        return np.asarray(np.swapaxes(through, 1, 2) @ rise @ through)

    def _through(self, noise: _Noise, terms: tuple[str, ...]) -> Reals:
        """Return the maps (D, 2, 2) from the tangent plane, back to the photo and out to the draw's place in x, y."""
        back = np.linalg.inv(self._lift(self.gradient[None])[0])
        out = self._level(self._gradient(noise, terms))
        if "reference" in terms:
            out = out @ noise.reference
        if "height" in terms:
            out = out * noise.height[:, None, None]
        return out @ back

    def _level(self, gradient: Reals) -> Reals:
        """Return maps (D, 2, 2) from the plane as seen to x, y straight below a skin of that gradient."""
        facing = np.maximum(1 - gradient @ self.lean, _LEAST_FACING)
        return np.eye(2) + self.lean[:, None] * gradient[:, None, :] / facing[:, None, None]

    def _lift(self, gradient: Reals) -> Reals:
        """Return maps (D, 2, 2) from the plane as seen to the tangent plane."""
        frame = tangent_frame(self.gradient)
        return (frame[:, :2] + frame[:, 2:] * self.gradient) @ self._level(gradient)

    def _moved(self, boundary: Reals, metrics: Sequence[Reals]) -> tuple[list[Reals], Reals]:
        """Return what an outline moved outwards by boundary (D or 1, V) measures.

        Its longest caliper (D,) under each metric (D, 2, 2), and its area in the tangent plane, (D or 1,).
        """
        first, second = self._pairs()
        relief = ((self.relief[first] - self.relief[second]) ** 2).astype(np.float32)
        terms = [np.column_stack([m[:, 0, 0], 2 * m[:, 0, 1], m[:, 1, 1]]).astype(np.float32) for m in metrics]
        longest: list[Reals] = [np.empty(len(metric)) for metric in metrics]
        flat = np.empty(len(boundary))
        # Blocks small enough to stay in the processor's cache.
        for start in range(0, len(metrics[0]), _BLOCK):
            block = slice(start, start + _BLOCK)
            if start < len(boundary):
                moved = self.vertices + boundary[block, :, None] * self.normals
                flat[block] = np.abs(signed_area(moved))
                some = moved.astype(np.float32)
                x = some[:, first, 0] - some[:, second, 0]
                y = some[:, first, 1] - some[:, second, 1]
                xx, xy, yy = x * x, x * y, y * y
            for own, lengths in zip(terms, longest, strict=True):
                m = own[block, :, None]
                squared = m[:, 0] * xx
                squared += m[:, 1] * xy
                squared += m[:, 2] * yy
                squared += relief
                lengths[block] = np.sqrt(squared.max(axis=1))
        return longest, flat

    def _pairs(self) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Return the pairs of vertices (P,), (P,) that could be the farthest apart."""
        first, second = np.triu_indices(_VERTICES, k=1)
        apart = np.linalg.norm(self.vertices[first] - self.vertices[second], axis=1)
        share = _NEAR_LONGEST if apart.max() > _SMALL_MM else _NEAR_LONGEST_SMALL
        near = apart >= share * apart.max()
        return first[near], second[near]
