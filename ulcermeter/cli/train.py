"""``ulcermeter train``: the network fine-tuned on a clinic's own outlined photos."""

from __future__ import annotations

import click

from ulcermeter.cli.console import clear_errors, command_with, say, warn

__all__ = ["command"]


@click.command(name="train", cls=command_with("ulcermeter train photos/ masks/ -o ours.onnx --groups subjects.csv"))
@click.argument("photos", type=click.Path())
@click.argument("masks", type=click.Path())
@click.option("-o", "--out", type=click.Path(), required=True, metavar="M.onnx", help="Where to write the model.")
@click.option("--groups", type=click.Path(), help="CSV (photo, group): a subject's photos are held out together.")
@click.option("--doubtful", type=click.Path(), help="CSV (photo, share): how often a photo of a doubted mask is drawn.")
@click.option("--minutes", type=click.FloatRange(min=0.1), default=30.0, show_default=True, help="Length of the run.")
@click.option("--steps", type=click.IntRange(min=1), help="Length in steps instead: such a run repeats exactly.")
@click.option("--seed", type=int, default=20261, show_default=True)
@click.option("--threads", type=click.IntRange(min=1), default=2, show_default=True)
@clear_errors
def command(
    *,
    photos: str,
    masks: str,
    out: str,
    groups: str | None,
    doubtful: str | None,
    minutes: float,
    steps: int | None,
    seed: int,
    threads: int,
) -> None:
    """Fine-tune the network on PHOTOS and their MASKS (needs the extra train).

    A mask is a PNG of its photo's name and size, white on the ulcer; an empty one teaches what is no ulcer. A run that
    was stopped goes on when called again. Use the model with --model; its card stands beside it. The model inherits
    the shipped weights' terms: non-commercial research.
    """
    from ulcermeter.segmentation.training import train

    report = train(
        photos,
        masks,
        out=out,
        groups=groups,
        doubtful=doubtful,
        minutes=minutes,
        max_steps=steps,
        seed=seed,
        threads=threads,
        log=warn,
    )
    say(f"{report.model}: held-out Dice {report.held_out_dice:.3f} on {report.n_held_out} photos, {report.steps} steps")
