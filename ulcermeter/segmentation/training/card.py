"""The model card that stands beside a trained model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from ulcermeter.files import write_file

if TYPE_CHECKING:
    from ulcermeter.segmentation.training.loop import Recipe
    from ulcermeter.segmentation.training.report import TrainingReport

TEMPLATE = """# Model card: {name}

Outlines skin ulcers on photos for ulcermeter. Research use only, not a medical device: outlines are proposals that a
reader accepts or corrects.

## Data
{n_training} outlined photos trained on, {n_held_out} held out by group for choosing and calibrating, {n_extra} extra
(drawn) ones trained on. The terms of these photos are the terms of this model: whoever trained it states them.

## Recipe
EfficientNet-lite0 encoder (its stem and first two blocks kept as ImageNet left them), depthwise decoder, 3.1 million
parameters; cross entropy plus soft Dice of each picture; AdamW with a cosine; averaged weights. Started from {start}.

| setting | value |
|---|---|
{settings}

## Figures
Steps: {steps}. Image-mean Dice on the held-out photos at the step that was kept (chosen as the best of the checks
below, so a little flattering): {dice:.4f}. Calibration on the same photos: temperature {temperature}, logit shift
{logit_shift}.

| step | held-out image-mean Dice |
|---|---|
{history}

SHA-256 of the model: `{sha256}`
"""


def write_card(
    report: TrainingReport, *, recipe: Recipe, history: list[dict[str, float]], n_extra: int, start: str
) -> None:
    """Write the card of a finished run to ``report.card``.

    Parameters
    ----------
    report : TrainingReport
        What the run left; its `card` is written.
    recipe : Recipe
        What decided the run.
    history : list of dict of str to float
        Step and held-out Dice of each check, in order.
    n_extra : int
        Extra pictures trained on.
    start : str
        The weights that it started from.
    """
    settings = "\n".join(f"| {name} | {value} |" for name, value in asdict(recipe).items())
    rows = "\n".join(f"| {int(row['step'])} | {row['held_out_dice']:.4f} |" for row in history)
    text = TEMPLATE.format(
        name=report.model.name,
        n_training=report.n_training,
        n_held_out=report.n_held_out,
        n_extra=n_extra,
        start=start,
        settings=settings,
        steps=report.steps,
        dice=report.held_out_dice,
        temperature=report.temperature,
        logit_shift=report.logit_shift,
        history=rows,
        sha256=report.sha256,
    )
    write_file(report.card, text.encode())
