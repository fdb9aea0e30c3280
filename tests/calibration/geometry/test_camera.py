"""The camera: what is known of it beforehand, and its lens profile on disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from drawn_markers import PHONE, photo_of

from ulcermeter.calibration import read_lens, write_lens
from ulcermeter.calibration.geometry.camera import camera_prior, lens_matches
from ulcermeter.datatypes import CameraInfo, Framing, LensProfile, NoteKind
from ulcermeter.errors import Refusal
from ulcermeter.photo.exif import framing_of
from ulcermeter.protocol import read_protocol

PROTOCOL = read_protocol("manus")
LENS = LensProfile(
    CameraInfo('He said "hi"\\', "Phone\n3 µ", 26.0),
    0.72,
    0.004,
    (0.004, -0.006),
    (0.06, -0.03, 1e-3, -5e-4, 0.0),
    12,
    0.21,
)


def photo(rows: int, cols: int, camera: CameraInfo = PHONE):  # type: ignore[no-untyped-def]
    return photo_of(np.zeros((rows, cols, 3), np.uint8), camera=camera)


def test_focal_length_from_exif_by_the_diagonal() -> None:
    prior = camera_prior(photo(3000, 4000), protocol=PROTOCOL, lens=None)
    assert prior.focal_px == pytest.approx(26 * 5000 / 43.2666)
    assert prior.focal_sd_rel == PROTOCOL.calibration.focal_exif_sd_pct / 100
    assert prior.centre_px == (1999.5, 1499.5) and prior.warnings == ()
    upright = camera_prior(photo(4000, 3000), protocol=PROTOCOL, lens=None)
    assert upright.focal_px == prior.focal_px and upright.centre_px == (1499.5, 1999.5)


def test_square_and_wide_photos_were_cropped() -> None:
    for rows, cols in ((3000, 3000), (2250, 4000)):
        assert camera_prior(photo(rows, cols), protocol=PROTOCOL, lens=None).focal_sd_rel == 0.15


@pytest.mark.parametrize(
    ("size", "written", "framing", "frame"),
    [
        ((4032, 3024), (4032, 3024), Framing.WHOLE, None),
        ((3024, 4032), (4032, 3024), Framing.WHOLE, None),  # turned by a program that left the tags
        ((4032, 2268), (4032, 2268), Framing.WHOLE, None),  # 16:9, as phones write it
        ((2592, 1936), (2592, 1936), Framing.WHOLE, None),
        ((2000, 1500), (4032, 3024), Framing.CROPPED, (4032, 3024)),
        ((1500, 2000), (4032, 3024), Framing.CROPPED, (4032, 3024)),
        ((3024, 3024), (4032, 3024), Framing.CROPPED, (4032, 3024)),  # a phone's square photo
        ((2000, 1500), (None, None), Framing.UNKNOWN, None),
        ((2000, 1500), (0, 0), Framing.UNKNOWN, None),
        ((2000, 1500), ("wide", b"high"), Framing.UNKNOWN, None),
        ((1800, 1350), (1800, 1350), Framing.UNKNOWN, None),  # 4:3, but no camera's 1350
        ((4624, 3468), (4624, 3468), Framing.WHOLE, None),
        ((1713, 1499), (1713, 1499), Framing.UNKNOWN, None),  # a free crop whose tags follow
    ],
)
def test_how_a_picture_lies_in_its_cameras_frame(
    size: tuple[int, int], written: tuple[object, object], framing: Framing, frame: tuple[int, int] | None
) -> None:
    assert framing_of(size, written) == (framing, frame)


def test_a_cropped_photos_focal_length_spans_its_own_frame_and_the_sensors() -> None:
    whole = 26 * 5040 / 43.2666
    for camera, ends, kind in (
        (
            replace(PHONE, framing=Framing.CROPPED, frame_px=(4032, 3024)),
            (whole * 2000 / 4032, whole),
            NoteKind.CROPPED,
        ),
        (
            replace(PHONE, framing=Framing.UNKNOWN),
            (26 * 2500 / 43.2666, 2.5 * 26 * 2500 / 43.2666),
            NoteKind.FRAME_NOT_NAMED,
        ),
        (replace(PHONE, digital_zoom=2.0), (26 * 2500 / 43.2666, 2 * 26 * 2500 / 43.2666), NoteKind.DIGITAL_ZOOM),
    ):
        prior = camera_prior(photo(1500, 2000, camera), protocol=PROTOCOL, lens=None)
        reach = np.exp(1.96 * prior.focal_sd_rel)
        assert prior.focal_px / reach < ends[0] < prior.focal_px < ends[1] < prior.focal_px * reach
        assert [note.kind for note in prior.warnings] == [kind]
    cropped = camera_prior(
        photo(1500, 2000, replace(PHONE, framing=Framing.CROPPED, frame_px=(4032, 3024))), protocol=PROTOCOL, lens=None
    )
    assert 1.96 * cropped.centre_sd_px > (4032 - 2000) / 2  # a corner of the frame


def test_a_lens_profile_is_not_used_on_a_part_of_its_frame() -> None:
    for part in ({"framing": Framing.UNKNOWN}, {"digital_zoom": 2.0}):
        assert lens_matches(photo(30, 40, LENS.camera), LENS)
        assert not lens_matches(photo(30, 40, replace(LENS.camera, **part)), LENS)


def test_an_unknown_camera_is_a_stated_assumption() -> None:
    prior = camera_prior(photo(3000, 4000, CameraInfo()), protocol=PROTOCOL, lens=None)
    assert prior.focal_sd_rel == pytest.approx(11 / 32) and len(prior.warnings) == 1


def test_a_lens_profile_replaces_the_assumptions() -> None:
    prior = camera_prior(photo(3000, 4000), protocol=PROTOCOL, lens=LENS)
    assert prior.focal_px == pytest.approx(0.72 * 4000) and prior.k1_sd == 0
    assert prior.centre_px == pytest.approx((1999.5 + 16, 1499.5 - 24))


def test_a_profile_holds_for_its_own_camera_only() -> None:
    same = replace(LENS, camera=PHONE)
    assert lens_matches(photo(30, 40), same)
    for other in (
        CameraInfo("Maker", "Phone", 52.0),
        CameraInfo("Maker", "Phone 2", 26.0),
        CameraInfo("Maker", "Phone"),
    ):
        assert not lens_matches(photo(30, 40), replace(LENS, camera=other))


def test_profiles_survive_the_disk(tmp_path: Path) -> None:
    write_lens(LENS, tmp_path / "camera.toml")
    read = read_lens(tmp_path / "camera.toml")
    assert read == replace(LENS, camera=replace(LENS.camera, model="Phone 3 µ"))
    nameless = replace(LENS, camera=CameraInfo())
    write_lens(nameless, tmp_path / "nameless.toml")
    assert read_lens(tmp_path / "nameless.toml") == nameless


@pytest.mark.parametrize(
    "text",
    [
        "not toml at all = =",
        "",
        "focal_rel = 0.7\n",
        "focal_rel = -1\nfocal_rel_sd = 0.1\n",
        'camera = "x"\nfocal_rel = 0.7\n',
    ],
)
def test_broken_profiles_are_refused_in_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "camera.toml"
    path.write_text(text)
    with pytest.raises(Refusal, match=r"expected a lens profile .* got .* ulcermeter camera PHOTOS"):
        read_lens(path)
    with pytest.raises(Refusal, match="check the path"):
        read_lens(tmp_path / "none.toml")
