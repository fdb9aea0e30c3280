"""Light, lens and clutter: what changes between clinics but not the wound.

The numbers of this file are how often and how far photos are changed, chosen by eye (assumption): wide enough that the
network meets what clinics' photos may be. What a wound is, its mask, changes only where clutter covers it.
"""

import cv2
import numpy as np

from ulcermeter.datatypes.arrays import Pixels

# Share of a wound that clutter may cover: of one that is covered further the mask would tell little (assumption).
_MOST_HIDDEN = 0.2


def recolour(pixels: Pixels, *, rng: np.random.Generator) -> Pixels:
    """Change exposure, white balance, saturation, skin darkness, sharpness, noise and compression.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB.
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    uint8 (M, N, 3)
        A copy, or the same array.
    """
    out = _tone(pixels, rng=rng) if rng.random() < 0.85 else pixels
    if rng.random() < 0.25:
        out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.4, 1.8))
    if rng.random() < 0.15:
        out = _glare(out, rng=rng)
    if rng.random() < 0.25:
        noise = rng.standard_normal(out.shape, dtype=np.float32) * np.float32(rng.uniform(1, 9))
        out = np.clip(out + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        out = _recompress(out, quality=int(rng.integers(35, 92)))
    return out


def _recompress(pixels: Pixels, *, quality: int) -> Pixels:
    code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), dtype=np.uint8)


def _tone(pixels: Pixels, *, rng: np.random.Generator) -> Pixels:
    ramp = np.linspace(0, 1, 256, dtype=np.float32)
    gamma = np.exp(rng.normal(0, 0.22)) * (rng.uniform(1.2, 1.9) if rng.random() < 0.12 else 1.0)
    contrast, brightness = rng.uniform(0.8, 1.25), rng.normal(0, 0.06)
    gains = np.exp(rng.normal(0, 0.07, 3)) if rng.random() < 0.6 else np.ones(3)
    table = np.stack([((ramp**gamma - 0.5) * contrast + 0.5 + brightness) * gain for gain in gains], 1)
    out = cv2.LUT(pixels, np.clip(table * 255, 0, 255).astype(np.uint8)[None])
    if rng.random() < 0.5:
        grey = cv2.cvtColor(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        keep = rng.uniform(0.6, 1.3)
        out = cv2.addWeighted(out, keep, grey, 1 - keep, 0)
    return np.asarray(out)


def _glare(pixels: Pixels, *, rng: np.random.Generator) -> Pixels:
    size = pixels.shape[0]
    layer = np.zeros(pixels.shape[:2], np.float32)
    for _ in range(int(rng.integers(1, 4))):
        centre = tuple(int(v) for v in rng.integers(0, size, 2))
        axes = tuple(int(v) for v in rng.integers(2, max(3, size // 14), 2))
        cv2.ellipse(layer, centre, axes, float(rng.uniform(0, 180)), 0, 360, float(rng.uniform(0.3, 1)), -1)
    layer = cv2.GaussianBlur(layer, (0, 0), rng.uniform(1, 4))[..., None]
    return np.asarray(np.clip(pixels * (1 - layer) + 255 * layer, 0, 255).astype(np.uint8))


def scatter_clutter(pixels: Pixels, mask: Pixels, *, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    """Lay drawn things (marker, ruler, disc, label, ring, ink) on the picture; what they hide is no wound.

    Parameters
    ----------
    pixels : uint8 (M, N, 3)
        RGB in sRGB; stays.
    mask : uint8 (M, N)
        1 on the wound; stays.
    rng : Generator
        What chance is drawn from.

    Returns
    -------
    uint8 (M, N, 3)
        With one to three things on it; one that would hide over a fifth of the wound is left out.
    uint8 (M, N)
        0 where they lie.
    """
    pixels, mask = pixels.copy(), mask.copy()
    for _ in range(int(rng.integers(1, 4))):
        size = int(rng.integers(16, pixels.shape[0] // 3))
        tile, cover = CLUTTER[rng.integers(len(CLUTTER))](size, rng)
        _lay(pixels, mask, tile, cover, rng=rng)
    return pixels, mask


def _lay(pixels: Pixels, mask: Pixels, tile: Pixels, cover: Pixels, *, rng: np.random.Generator) -> None:
    height, width = mask.shape
    angle, centre = rng.uniform(0, 360), (tile.shape[1] / 2, tile.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(centre, angle, 1.0)
    matrix[:, 2] += rng.uniform(0, 1, 2) * (width, height) - centre
    warped = cv2.warpAffine(tile, matrix, (width, height), flags=cv2.INTER_LINEAR)
    alpha = cv2.warpAffine(cover, matrix, (width, height), flags=cv2.INTER_LINEAR)
    hidden = (alpha > 127) & (mask > 0)
    if hidden.sum() > _MOST_HIDDEN * mask.sum():
        return
    part = alpha[..., None].astype(np.float32) / 255
    pixels[:] = (pixels * (1 - part) + warped * part).astype(np.uint8)
    mask[alpha > 127] = 0


def _marker(size: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    cells = int(rng.integers(4, 7))
    code = np.zeros((cells + 4, cells + 4), np.uint8)
    code[[0, -1]] = code[:, [0, -1]] = 1
    code[2:-2, 2:-2] = rng.integers(0, 2, (cells, cells))
    paper, ink = rng.integers(190, 256), rng.integers(0, 60)
    grey = np.where(cv2.resize(code, (size, size), interpolation=cv2.INTER_NEAREST) > 0, paper, ink).astype(np.uint8)
    return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.full((size, size), 255, np.uint8)


def _ruler(size: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    length, step = size * 3, int(rng.integers(3, 8))
    tile = np.empty((max(size // 2, 10), length, 3), np.uint8)
    tile[:] = rng.integers(150, 256, 3)
    for number, x in enumerate(range(2, length - 2, step)):
        tall = (0.6 if number % 10 == 0 else 0.45 if number % 5 == 0 else 0.3) * tile.shape[0]
        cv2.line(tile, (x, 0), (x, int(tall)), (20, 20, 20), 1)
        if number % 10 == 0:
            cv2.putText(
                tile, str(number // 10), (x, tile.shape[0] - 2), cv2.FONT_HERSHEY_SIMPLEX, size / 110, (20, 20, 20)
            )
    return tile, np.full(tile.shape[:2], 255, np.uint8)


def _disc(size: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    tile, cover = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
    half = size // 2
    tile[:] = rng.integers(0, 256, 3)
    if rng.random() < 0.5:
        cv2.circle(
            tile, (half, half), int(half * rng.uniform(0.4, 0.8)), tuple(int(v) for v in rng.integers(0, 256, 3)), -1
        )
    if rng.random() < 0.5:
        relief = cv2.resize(rng.normal(0, 22, (12, 12)).astype(np.float32), (size, size), interpolation=cv2.INTER_CUBIC)
        tile = np.clip(tile + relief[..., None], 0, 255).astype(np.uint8)
    cv2.circle(cover, (half, half), half - 1, 255, -1, cv2.LINE_AA)
    return tile, cover


def _label(size: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    tile = np.empty((max(int(size * rng.uniform(0.3, 1.0)), 6), size * 2, 3), np.uint8)
    tile[:] = rng.integers(0, 256, 3) if rng.random() < 0.5 else rng.integers(200, 256)
    ink = tuple(int(v) for v in rng.integers(0, 256, 3))
    text = "".join(rng.choice(list("ABCDEHKLMNORSTX0123456789-/ "), int(rng.integers(2, 9))))
    cv2.putText(
        tile, text, (2, int(tile.shape[0] * 0.8)), cv2.FONT_HERSHEY_SIMPLEX, size / 60, ink, int(rng.integers(1, 3))
    )
    return tile, np.full(tile.shape[:2], 255, np.uint8)


def _ring(size: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    tile, cover = np.zeros((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
    shine = np.linspace(rng.integers(60, 150), rng.integers(150, 256), size)[:, None, None]
    tile[:] = np.clip(shine * rng.uniform(0.6, 1.0, 3), 0, 255)
    axes = (int(size * 0.45), int(size * rng.uniform(0.15, 0.45)))
    cv2.ellipse(
        cover, (size // 2, size // 2), axes, 0, 0, 360, 255, int(rng.integers(2, max(3, size // 7))), cv2.LINE_AA
    )
    return tile, cover


def _ink(size: int, rng: np.random.Generator) -> tuple[Pixels, Pixels]:
    tile, cover = np.empty((size, size, 3), np.uint8), np.zeros((size, size), np.uint8)
    tile[:] = np.array([(20, 20, 60), (30, 30, 30), (150, 20, 30), (20, 60, 140), (60, 20, 90)][rng.integers(5)])
    points = np.cumsum(rng.normal(0, size / 10, (12, 2)), 0) + size / 2
    cv2.polylines(cover, [points.astype(np.int32)], False, 255, int(rng.integers(1, 4)), cv2.LINE_AA)
    return tile, cover


CLUTTER = (_marker, _ruler, _disc, _label, _ring, _ink)
