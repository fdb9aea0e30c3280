"""Draw pictures without any ulcer that the network was trained on: coins, specimens, prints, stains off the skin.

Usage: python tests/studies/draw_clutter.py OUT [--count 240]

OUT gets photos/ and masks/ (all empty), and cuts of five public-domain photographs that come with scikit-image and
matplotlib (faces, a cat, a cup, a rocket).
"""

import argparse
from pathlib import Path

import cv2
import numpy as np
import skimage.data

FIRST_LARGE_COIN = 240
METALS = np.array(
    [
        [178, 104, 66],
        [140, 76, 48],
        [110, 66, 44],
        [198, 164, 84],
        [150, 122, 62],
        [172, 170, 164],
        [120, 118, 112],
        [214, 190, 120],
    ],
    float,
)
WINGS = np.array([[200, 120, 30], [160, 80, 30], [190, 60, 30], [120, 70, 40], [210, 180, 70], [90, 60, 50]], float)


def noise(shape, grain, rng):
    """Smooth noise of mean 0 and sd 1 with a grain (x, y) in px."""
    small = rng.standard_normal((max(int(shape[0] / grain[1]), 2), max(int(shape[1] / grain[0]), 2))).astype(np.float32)
    out = cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    return (out - out.mean()) / (out.std() + 1e-6)


def background(shape, rng):
    """Wood, cloth, speckled stone, leather or paper."""
    kind = rng.integers(5)
    if kind == 0:
        base, grain, depth = np.array([150, 80, 40]) * rng.uniform(0.5, 1.4), (rng.uniform(80, 200), 3), 14
    elif kind == 1:
        base, grain, depth = rng.uniform(10, 200, 3) * np.array([1.0, 0.6, 0.6]), (2, 2), 8
    elif kind == 2:
        base, grain, depth = np.full(3, rng.uniform(90, 210)), (2, 2), 32
    elif kind == 3:
        base, grain, depth = np.full(3, rng.uniform(10, 60)), (5, 4), 10
    else:
        base, grain, depth = rng.uniform(200, 250, 3), (40, 40), 3
    light = noise(shape, (shape[1], shape[0]), rng) * 0.12 + 1
    return (base + noise(shape, grain, rng)[..., None] * depth) * light[..., None]


def soft_ellipse(shape, centre, axes, angle):
    """Coverage of an ellipse, float 0..1."""
    layer = np.zeros(shape, np.uint8)
    middle, half = (int(centre[0]), int(centre[1])), (max(int(axes[0]), 1), max(int(axes[1]), 1))
    cv2.ellipse(layer, middle, half, angle, 0, 360, 255, -1, cv2.LINE_AA)
    return layer[..., None].astype(np.float32) / 255


def coins(shape, rng):
    """Coins of copper, brass and steel with rim, relief and shine, seen at a slant."""
    out = background(shape, rng)
    radius, slant, turn = rng.uniform(10, 75), rng.uniform(0.6, 1.0), rng.uniform(0, 180)
    for _ in range(int(rng.integers(3, 22))):
        centre, size = rng.uniform(0, 1, 2) * shape[::-1], radius * rng.uniform(0.8, 1.25)
        axes, metal = np.array([size, size * slant]), METALS[rng.integers(len(METALS))] * rng.uniform(0.6, 1.2)
        shadow = soft_ellipse(shape, centre + size * 0.07, axes * 1.03, turn)
        out = out * (1 - 0.45 * cv2.GaussianBlur(shadow, (0, 0), 1 + size / 20)[..., None])
        relief = noise(shape, (size / 4, size / 5), rng)
        shade = relief - np.roll(relief, (1, 1), (0, 1)) * 0.9
        face = metal + (shade * rng.uniform(10, 40) + noise(shape, (size * 2, size * 2), rng) * 14)[..., None]
        cover = soft_ellipse(shape, centre, axes, turn)
        out = out * (1 - cover) + face * cover
        rim = cover - soft_ellipse(shape, centre, axes * rng.uniform(0.84, 0.94), turn)
        out += rim * rng.uniform(-30, 45)
        if rng.random() < 0.25:
            core = soft_ellipse(shape, centre, axes * 0.68, turn)
            out = out * (1 - core) + (METALS[rng.integers(len(METALS))] + shade[..., None] * 20) * core
    return out


def struck(shape, rng):
    """Height of a strike, float: a ring of stars, a head or a figure, letters round it; its slope is what shines."""
    flat, (rows, cols) = np.zeros(shape, np.uint8), shape
    middle = (cols // 2, rows // 2)
    for turn in np.linspace(0, 2 * np.pi, 12, endpoint=False):
        at = (int(middle[0] + 0.42 * cols * np.cos(turn)), int(middle[1] + 0.42 * rows * np.sin(turn)))
        cv2.drawMarker(flat, at, 255, cv2.MARKER_STAR, max(cols // 16, 3), max(cols // 90, 1))
    for _ in range(int(rng.integers(1, 4))):
        points = np.cumsum(rng.normal(0, cols * 0.07, (14, 2)), 0) + rng.uniform(0.35, 0.65, 2) * cols
        cv2.fillPoly(flat, [points.astype(np.int32)], int(rng.integers(90, 256)))
    word = "".join(rng.choice(list("EUROSPAINCT0125"), int(rng.integers(1, 7))))
    where = (int(cols * rng.uniform(0.15, 0.5)), int(rows * rng.uniform(0.35, 0.8)))
    cv2.putText(flat, word, where, cv2.FONT_HERSHEY_DUPLEX, cols / 30 / len(word) ** 0.7, 255, max(cols // 50, 1))
    height = cv2.GaussianBlur(flat, (0, 0), max(cols / 110, 0.6)).astype(np.float32) / 255
    slope = cv2.Sobel(height, cv2.CV_32F, 1, 0) * rng.normal() + cv2.Sobel(height, cv2.CV_32F, 0, 1) * rng.normal()
    return slope * cols / 60


def two_metals(shape, rng):
    """Large coins of one or two metals with a strike, worn and unevenly lit, on pale, speckled or wooden tables."""
    out = background(shape, rng) if rng.random() < 0.4 else speckled(shape, rng)
    for _ in range(int(rng.integers(1, 5))):
        size, centre = int(rng.uniform(40, 130)), rng.uniform(0, 1, 2) * shape[::-1]
        side = 2 * size + 1
        rows, cols = np.mgrid[-size : size + 1, -size : size + 1].astype(np.float32)
        radius = np.hypot(rows, cols) / size
        ring, core = (METALS[rng.integers(len(METALS))] * rng.uniform(0.5, 1.2) for _ in range(2))
        chance = rng.random()
        ring, core = (METALS[4], METALS[6]) if chance < 0.4 else (ring, core if chance < 0.8 else ring)
        face = np.where((radius < rng.uniform(0.6, 0.75))[..., None], core, ring)
        face = face * (1 + 0.2 * noise((side, side), (size, size), rng)[..., None])
        strike = struck((side, side), rng) * np.exp(rng.uniform(np.log(6), np.log(70)))
        face = face + (strike + 6 * noise((side, side), (3, 3), rng))[..., None]
        face = face + ((np.abs(radius - 0.96) < 0.03) * rng.uniform(-60, 60))[..., None]
        turn = cv2.getRotationMatrix2D((size, size), rng.uniform(0, 360), 1.0)
        turn = np.diag([1.0, rng.uniform(0.7, 1.0)]) @ turn
        turn[:, 2] += centre - turn @ np.array([size, size, 1.0])
        seen = cv2.warpAffine(face.astype(np.float32), turn, shape[::-1], flags=cv2.INTER_LINEAR)
        cover = cv2.warpAffine((radius <= 1).astype(np.float32), turn, shape[::-1], flags=cv2.INTER_LINEAR)[..., None]
        shadow = cv2.GaussianBlur(np.roll(cover[..., 0], (3, 3), (0, 1)), (0, 0), 4)[..., None]
        out = out * (1 - 0.4 * shadow * (1 - cover))
        out = out * (1 - cover) + seen * cover
    return out


def speckled(shape, rng):
    """Terrazzo: flecks of grey and brown in a pale ground, with a faint stain now and then."""
    out = np.full((*shape, 3), rng.uniform(150, 235))
    for _ in range(3):
        flecks = noise(shape, (rng.uniform(3, 14),) * 2, rng) > rng.uniform(0.8, 1.8)
        out[flecks] = rng.uniform(60, 230) + rng.uniform(-12, 12, 3)
    if rng.random() < 0.4:
        centre, (rows, cols) = rng.uniform(0, 1, 2) * shape[::-1], np.mgrid[: shape[0], : shape[1]]
        fade = np.exp(-((cols - centre[0]) ** 2 + (rows - centre[1]) ** 2) / (2 * rng.uniform(5, 25) ** 2))
        fade = fade * (0.6 + 0.4 * np.clip(noise(shape, (4, 4), rng), -1, 1))
        out = out * (1 - 0.6 * fade[..., None]) + np.array([190, 140, 80]) * 0.6 * fade[..., None]
    return cv2.GaussianBlur(out, (0, 0), 0.8)


def specimen(shape, rng):
    """A pinned insect: two mirrored wings with spots, a body, labels."""
    out = background(shape, rng) * 0 + rng.uniform(90, 235) + noise(shape, (2, 2), rng)[..., None] * 4
    middle = np.array([shape[1] * rng.uniform(0.35, 0.65), shape[0] * rng.uniform(0.35, 0.65)])
    size, colour = rng.uniform(50, 150), WINGS[rng.integers(len(WINGS))]
    turns = rng.uniform(-40, 40, 2)
    for side in (-1, 1):
        for part, turn in ((1.0, turns[0] - 25), (0.75, turns[1] + 35)):
            centre = middle + np.array([side * size * 0.55 * part, size * (0.35 if part < 1 else -0.25)])
            cover = soft_ellipse(shape, centre, (size * 0.55 * part, size * 0.36 * part), side * turn)
            out = out * (1 - cover) + (colour + noise(shape, (6, 6), rng)[..., None] * 14) * cover
            for _ in range(int(rng.integers(0, 14))):
                spot = centre + rng.normal(0, 0.25, 2) * size * part
                dot = soft_ellipse(shape, spot, rng.uniform(2, 9, 2), 0) * cover
                out = out * (1 - dot) + rng.uniform(0, 70, 3) * dot
    body = soft_ellipse(shape, middle, (size * 0.08, size * 0.5), 0)
    return out * (1 - body) + rng.uniform(20, 90, 3) * body


def stains(shape, rng):
    """Red, brown, yellow and black stains on cloth, paper, wood and plastic."""
    out = background(shape, rng)
    for _ in range(int(rng.integers(1, 8))):
        field = noise(shape, (rng.uniform(15, 70),) * 2, rng)
        centre, size = rng.uniform(0, 1, 2) * shape[::-1], rng.uniform(8, 70)
        rows, cols = np.mgrid[: shape[0], : shape[1]]
        level = 1 - np.hypot(cols - centre[0], rows - centre[1]) / size + 0.35 * field
        cover = np.clip(level * rng.uniform(2, 20), 0, 1)[..., None] * rng.uniform(0.5, 1)
        colour = np.array(
            [[130, 15, 15], [180, 40, 40], [90, 50, 25], [200, 170, 60], [25, 20, 20], [40, 80, 150]][rng.integers(6)]
        ) * rng.uniform(0.6, 1.3)
        out = out * (1 - cover) + colour * cover
    return out


def prints(shape, rng):
    """Boards, bars and letters in ink or colour, seen at a slant."""
    flat = np.full((*shape, 3), rng.uniform(180, 250, 3))
    step = int(rng.integers(8, 60))
    ink = rng.uniform(0, 90, 3) if rng.random() < 0.6 else rng.uniform(0, 255, 3)
    rows, cols = np.mgrid[: shape[0], : shape[1]]
    kind = rng.integers(3)
    chosen = ((rows // step + cols // step) % 2 == 0) if kind == 0 else (cols // max(step // 4, 2) % 2 == 0)
    if kind == 2:
        cells = rng.integers(0, 2, (shape[0] // step + 1, shape[1] // step + 1)).astype(bool)
        chosen = np.kron(cells, np.ones((step, step), bool))[: shape[0], : shape[1]]
    flat[chosen] = ink
    corners = np.array([[0, 0], [shape[1], 0], [shape[1], shape[0]], [0, shape[0]]], np.float32)
    moved = (corners + rng.uniform(-0.3, 0.3, (4, 2)) * shape[::-1] * 0.6).astype(np.float32)
    matrix = cv2.getPerspectiveTransform(corners, moved)
    seen = cv2.warpPerspective(flat.astype(np.float32), matrix, shape[::-1], flags=cv2.INTER_AREA)
    cover = cv2.warpPerspective(np.ones(shape, np.float32), matrix, shape[::-1])[..., None]
    return background(shape, rng) * (1 - cover) + seen * cover


def public_photos():
    """Return public-domain photographs, RGB, cut to three channels."""
    import matplotlib

    hopper = cv2.imread(str(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"))[..., ::-1]
    return [
        hopper,
        *(
            np.asarray(one())[..., :3]
            for one in (skimage.data.astronaut, skimage.data.chelsea, skimage.data.coffee, skimage.data.rocket)
        ),
    ]


def draw(number, photos):
    """Draw one picture, uint8 RGB."""
    rng = np.random.default_rng([53, number])
    shape = (int(rng.integers(360, 560)), int(rng.integers(360, 640)))
    kind = number % 12
    if number >= FIRST_LARGE_COIN:
        return finish(two_metals(shape, rng), rng)
    if kind == 11:
        photo = photos[number // 12 % len(photos)]
        top, left = rng.integers(0, photo.shape[0] // 3), rng.integers(0, photo.shape[1] // 3)
        return np.ascontiguousarray(photo[top:, left:])
    out = (coins, coins, coins, coins, specimen, specimen, stains, stains, stains, prints, prints)[kind](shape, rng)
    return finish(out, rng)


def finish(out, rng):
    """Expose, add noise and blur."""
    out = np.clip(out * rng.uniform(0.6, 1.15) + rng.normal(0, rng.uniform(0.5, 4), out.shape), 0, 255)
    return cv2.GaussianBlur(out, (0, 0), rng.uniform(0.3, 1.2)).astype(np.uint8)


def main():
    """Draw and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=360)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    for folder in ("photos", "masks"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)
    photos = public_photos()
    for number in range(args.count):
        name = f"clutter{number:04d}"
        if (args.out / "photos" / f"{name}.jpg").exists():
            continue
        pixels = draw(number, photos)
        cv2.imwrite(str(args.out / "masks" / f"{name}.png"), np.zeros(pixels.shape[:2], np.uint8))
        cv2.imwrite(str(args.out / "photos" / f"{name}.jpg"), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])


if __name__ == "__main__":
    main()
