"""train: read the outlined photos, hold some out by group, train, calibrate, export, write the card."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from ulcermeter.errors import MissingDependencyError, Problem, StudyError
from ulcermeter.segmentation.training.report import TrainingReport

if TYPE_CHECKING:
    from ulcermeter.segmentation.training.architecture import UlcerNetwork
    from ulcermeter.segmentation.training.loop import Recipe, Trainer
    from ulcermeter.segmentation.training.samples import Pool

Log = Callable[[str], None]
# Fewer cannot be split into training and held-out ones (assumption).
MIN_PHOTOS = 8
# Of the photos, those that are held out when not said otherwise: a tenth, at least and at most (assumption).
_HELD_OUT_PART, _HELD_OUT_LEAST, _HELD_OUT_MOST = 10, 4, 80


def train(
    photos_dir: str | Path,
    masks_dir: str | Path,
    *,
    out: str | Path,
    groups: str | Path | None = None,
    extra_dir: str | Path | None = None,
    doubtful: str | Path | None = None,
    start: str | Path = "shipped",
    minutes: float = 30.0,
    max_steps: int | None = None,
    held_out: int | None = None,
    seed: int = 20261,
    threads: int = 2,
    version: str = "custom",
    log: Log | None = None,
) -> TrainingReport:
    """Train on one's own outlined photos and write an ONNX model that ``--model`` takes.

    A run that was stopped goes on from its checkpoint (``OUT.checkpoint.pt``) when called again alike. The learning
    rate ends with the minutes (or steps) given, however busy the machine is; with `max_steps` the run repeats exactly.

    Parameters
    ----------
    photos_dir : path
        Upright photos.
    masks_dir : path
        A PNG per photo, of the same name and size; over 127 is ulcer. An empty mask teaches what is none.
    out : path
        The model to write, ending in ``.onnx``; the card stands beside it as ``.md``.
    groups : path or None
        CSV with columns photo, group (the subject): a group is held out as a whole. None: every photo its own group.
    extra_dir : path or None
        Holds ``photos`` and ``masks`` that are trained on but never held out (drawn ones); read again at every epoch.
    doubtful : path or None
        CSV with columns photo, share: how often a photo whose mask is doubted is drawn beside another, 0 for never.
    start : {'shipped', 'imagenet'} or path
        Weights to start from; a path is an ONNX model of this package.
    minutes, max_steps : float, int or None
        Length of the run; steps rule when given.
    held_out : int or None
        Photos held out for choosing and calibrating; None is a tenth, at least 4, at most 80.
    seed, threads : int
    version : str
        Written into the model.
    log : callable or None
        Takes each line of progress.

    Returns
    -------
    TrainingReport

    Raises
    ------
    MissingDependencyError
        torch or onnx is not installed.
    StudyError
        Photos without masks, of other sizes, too few; all faults at once. Or a list of groups or doubtful photos with
        other columns or shares.
    ModelError
        `start` is no model of this package.
    """
    _require_packages()
    from ulcermeter.segmentation.training.loop import Recipe, Trainer

    report_line = log or (lambda line: None)
    target = Path(out)
    pool = _read_all(Path(photos_dir), Path(masks_dir))
    count = (
        held_out
        if held_out is not None
        else min(max(len(pool.names) // _HELD_OUT_PART, _HELD_OUT_LEAST), _HELD_OUT_MOST)
    )
    training, held_out_pool = _split(pool, groups=groups, count=count, seed=seed, doubtful=doubtful)
    recipe = Recipe(minutes=minutes, max_steps=max_steps, held_out=count, seed=seed, threads=threads)
    if start != "imagenet":
        recipe = recipe.for_fine_tuning()
    target.parent.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(_start_network(start, seed=seed), recipe=recipe, checkpoint=_checkpoint(target), log=report_line)
    extra = _fill_extra(extra_dir)
    trainer.fit(training, extra, held_out=held_out_pool, refill=_refill(extra_dir))
    return _finish(trainer, training, held_out_pool, extra, target=target, start=str(start), version=version)


def _require_packages() -> None:
    try:
        import onnx  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            Problem("Training needs torch and onnx", action="pip install 'ulcermeter[train]'")
        ) from error


def _checkpoint(target: Path) -> Path:
    return target.with_suffix(".checkpoint.pt")


def _read_all(photos_dir: Path, masks_dir: Path) -> Pool:
    from ulcermeter.segmentation.training.samples import Pool, list_pictures

    pool = Pool()
    photos = list_pictures(photos_dir)
    faults = [
        Problem(where=path.name, expected=f"a mask {masks_dir / path.stem}.png", got="none")
        for path in photos
        if not (masks_dir / f"{path.stem}.png").exists()
    ]
    if len(photos) < MIN_PHOTOS:
        faults.append(Problem(expected=f"at least {MIN_PHOTOS} photos in {photos_dir}", got=str(len(photos))))
    if faults:
        raise StudyError(faults)
    pool.rescan(photos_dir, masks_dir, limit=100_000)
    lost = sorted({path.name for path in photos} - set(pool.names))
    if lost:
        raise StudyError(
            Problem(
                where=name, expected="a mask of the photo's size", got="one of another size or none that can be read"
            )
            for name in lost
        )
    return pool


def _split(
    pool: Pool, *, groups: str | Path | None, count: int, seed: int, doubtful: str | Path | None
) -> tuple[Pool, Pool]:
    from ulcermeter.segmentation.training.samples import Pool
    from ulcermeter.segmentation.training.split import choose_held_out, read_groups, read_shares

    named = read_groups(Path(groups)) if groups is not None else {}
    shares = read_shares(Path(doubtful)) if doubtful is not None else {}
    held = choose_held_out(pool.names, groups=named, count=count, seed=seed)
    training, held_out_pool = Pool(), Pool()
    for name, photo, mask in zip(pool.names, pool.photos, pool.masks, strict=True):
        (held_out_pool if name in held else training).add(name, photo, mask, share=shares.get(Path(name).stem, 1.0))
    if not any(training.share):
        raise StudyError(
            Problem(
                "No photo is left to train on: all are held out or doubted",
                action="hold out fewer photos, or doubt fewer masks",
            )
        )
    return training, held_out_pool


def _start_network(start: str | Path, *, seed: int) -> UlcerNetwork:
    import torch

    from ulcermeter.segmentation.network import WEIGHTS
    from ulcermeter.segmentation.training.architecture import UlcerNetwork, load_pretrained_encoder
    from ulcermeter.segmentation.training.export import read_onnx

    if start != "imagenet":
        return read_onnx(WEIGHTS if start == "shipped" else Path(start))
    torch.manual_seed(seed)
    network = UlcerNetwork()
    load_pretrained_encoder(network)
    return network


def _fill_extra(extra_dir: str | Path | None) -> Pool:
    from ulcermeter.segmentation.training.samples import Pool

    extra = Pool()
    _refill(extra_dir)(extra)
    return extra


def _refill(extra_dir: str | Path | None) -> Callable[[Pool], int]:
    if extra_dir is None:
        return lambda pool: 0
    root = Path(extra_dir)
    return lambda pool: pool.rescan(root / "photos", root / "masks")


def _finish(
    trainer: Trainer, training: Pool, held_out_pool: Pool, extra: Pool, *, target: Path, start: str, version: str
) -> TrainingReport:
    from ulcermeter.networks.onnx_files import write_facts
    from ulcermeter.segmentation.network import MODEL_KIND
    from ulcermeter.segmentation.training.calibrate import fit_calibration
    from ulcermeter.segmentation.training.card import write_card
    from ulcermeter.segmentation.training.export import write_onnx

    facts: dict[str, str | float | int] = {
        "kind": MODEL_KIND,
        "version": version,
        "temperature": 1.0,
        "logit_shift": 0.0,
        "start": start,
        "recipe": json.dumps(asdict(trainer.recipe), sort_keys=True),
        "steps": trainer.state.step,
        "recipe_sha256": _recipe_hash(trainer.recipe, training, held_out_pool),
    }
    write_onnx(trainer.chosen_network(), target, facts=facts)
    facts["temperature"], facts["logit_shift"] = fit_calibration(target, held_out_pool)
    write_facts(target, facts)
    report = TrainingReport(
        model=target,
        card=target.with_suffix(".md"),
        sha256=hashlib.sha256(target.read_bytes()).hexdigest(),
        steps=trainer.state.step,
        n_training=len(training.names),
        n_held_out=len(held_out_pool.names),
        held_out_dice=trainer.state.best if held_out_pool.names else float("nan"),
        temperature=float(facts["temperature"]),
        logit_shift=float(facts["logit_shift"]),
    )
    write_card(report, recipe=trainer.recipe, history=trainer.state.history, n_extra=len(extra.names), start=start)
    return report


def _recipe_hash(recipe: Recipe, training: Pool, held_out_pool: Pool) -> str:
    drawn = sorted(zip(training.names, training.share, strict=True))
    content = json.dumps([asdict(recipe), drawn, sorted(held_out_pool.names)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
