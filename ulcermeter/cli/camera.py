"""``ulcermeter camera``: a lens profile from photos of the card."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with, progress_bar, say

__all__ = ["command"]


@click.command(name="camera", cls=command_with("ulcermeter camera card_photos/*.jpg -o phone.toml"))
@click.argument("photos", type=click.Path(), nargs=-1, required=True)
@click.option(
    "-o", "--out", type=click.Path(), required=True, metavar="CAMERA.toml", help="Where to write the profile."
)
@clear_errors
def command(photos: tuple[str, ...], out: str) -> None:
    """Measure a lens from a dozen PHOTOS of the printed card.

    Lay the card on a table and photograph it from every side, tilted by 20-40°, near and far, into the corners of the
    frame too; one phone, the same way up, no zoom. Give the profile to run or measure with --camera.
    """
    from ulcermeter.calibration.geometry.camera import write_lens
    from ulcermeter.calibration.lens_from_card import fit_lens
    from ulcermeter.datatypes import Photo
    from ulcermeter.isolation import Lost, Workers
    from ulcermeter.photo import read_photo
    from ulcermeter.photo.process_errors import lost_photo
    from ulcermeter.protocol import read_protocol

    read: list[Photo] = []
    with progress_bar("photos") as moved, Workers() as workers:
        for number, came in workers.each(read_photo, photos):  # one process: they come in their order
            if isinstance(came, Lost):
                raise lost_photo(photos[number], came)
            read.append(came)
            moved(len(read), len(photos), photos[number])
    lens = fit_lens(read, protocol=read_protocol("manus"))
    write_lens(lens, out)
    say(f"{out}: {lens.n_photos} photos, {lens.rms_px:.2f} px, k1 {lens.distortion[0]:+.3f}")
