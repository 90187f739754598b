"""Trains the network for folds, bubbles and dust; the same seed gives the same weights.

python -m processing.quality.training.artefacts --slides DIR [--seed 0] [--miniature]
    [--stain he] [--to FILE]

DIR holds the images that `artefact_sources` names by SHA-256. One thread, deterministic
algorithms and a fixed number of steps: bit by bit the same on one kind of CPU and one version of
torch, alike within tolerance on others.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save

from processing.quality.artefact_network import (
    CLASSES,
    MODEL,
    STRIDE,
    VERSION,
    WEIGHTS,
    ArtefactNetwork,
    Trained,
    density,
    parameters,
)
from processing.quality.training.artefact_patches import Patch, Patches, Scan, kinds
from processing.quality.training.artefact_sources import Read, read

_LOG = logging.getLogger("svartid.quality.training")
_FALSE_REAL, _FALSE_MADE = 0.001, 0.015
"""Part of clean tissue that each class may cover where thresholds are chosen."""
_GRID = np.round(np.arange(0.2, 0.96, 0.05), 2)
_TISSUE_OD = 0.06
_BLOCK = 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """How long is learnt, and from how much at a time."""

    steps: int = 3000
    batch: int = 8
    rate: float = 3e-3
    weight: float = 1.5
    """Of cells that an artefact covers, beside those that none does."""


MINIATURE = Plan(steps=40, batch=4)


def train(patches: Patches, plan: Plan, seed: int) -> tuple[ArtefactNetwork, list[float]]:
    """A network that has learnt from the patches, and the loss of every step."""
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    network = ArtefactNetwork().train()
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=1e-3)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, plan.steps, pct_start=0.15)
    loss_of = torch.nn.BCEWithLogitsLoss(pos_weight=torch.full((len(CLASSES), 1, 1), plan.weight))
    losses = []
    for step in range(plan.steps):
        given, truth = _batch(patches, plan.batch, (seed, step))
        optimiser.zero_grad()
        loss = loss_of(network(given), truth)
        loss.backward()
        optimiser.step()
        rates.step()
        losses.append(float(loss.detach()))
        if step % 50 == 49:
            _LOG.info("step %d: loss %.4f", step + 1, float(np.mean(losses[-50:])))
    return network.eval(), losses


def _batch(
    patches: Patches, count: int, seed: tuple[int, int]
) -> tuple[torch.Tensor, torch.Tensor]:
    drawn: list[Patch] = []
    for index in range(count):
        random = np.random.default_rng((*seed, index))
        drawn.append(patches.draw(random, kinds(random), Scan()))
    given = np.stack([density(patch.pixels) for patch in drawn]).transpose(0, 3, 1, 2)
    truth = np.stack([patch.truth for patch in drawn])
    return torch.from_numpy(np.ascontiguousarray(given)), torch.from_numpy(truth)


def over_tissue(network: Trained, image: Read) -> NDArray[np.float32]:
    """Probabilities [class, cell] of all cells of an image that hold tissue."""
    found = []
    for y in range(0, image.pixels.shape[0], _BLOCK):
        for x in range(0, image.pixels.shape[1], _BLOCK):
            part = image.pixels[y : y + _BLOCK, x : x + _BLOCK]
            part = part[: len(part) // STRIDE * STRIDE, : part.shape[1] // STRIDE * STRIDE]
            if not part.size:
                continue
            rows, columns = part.shape[0] // STRIDE, part.shape[1] // STRIDE
            shade = density(part).max(axis=2).reshape(rows, STRIDE, columns, STRIDE)
            tissue = shade.mean(axis=(1, 3)) > _TISSUE_OD + 0.02
            found.append(network.probabilities(part)[:, tissue])
    return np.concatenate(found, axis=1)


def thresholds(
    network: Trained, real: Sequence[Read], made: Patches, count: int, seed: int
) -> tuple[float, ...]:
    """Of each class the one with the best Dice among those at which clean tissue stays clean.

    `real` is tissue as scanned; `made` draws from it artefacts and what only looks like one.
    """
    cells = np.concatenate([over_tissue(network, image) for image in real], axis=1)
    alike, _ = _drawn(network, made, (), count, seed)
    chosen = []
    for index, kind in enumerate(CLASSES):
        score, truth = (at[index] for at in _drawn(network, made, (kind,), count // 2, seed))
        quiet = [
            float(at)
            for at in _GRID
            if (cells[index] >= at).mean() <= _FALSE_REAL
            and (alike[index] >= at).mean() <= _FALSE_MADE
        ]
        best = [
            (2 * ((score >= at) & (truth > 0)).sum() / ((score >= at).sum() + truth.sum()), -at)
            for at in quiet
        ]
        chosen.append(-max(best)[1] if best else float(_GRID[-1]))
    return tuple(chosen)


def _drawn(
    network: Trained, made: Patches, drawn: tuple[str, ...], count: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Probabilities and truth of patches with these artefacts, [class, patch, row, column]."""
    patches = [
        made.draw(np.random.default_rng((seed, 7, at)), drawn, Scan()) for at in range(count)
    ]
    found = np.stack([network.probabilities(patch.pixels) for patch in patches], axis=1)
    return found, np.stack([patch.truth for patch in patches], axis=1)


def write(
    network: ArtefactNetwork, chosen: Sequence[float], plan: Plan, seed: int, to: Path
) -> str:
    """The weights as safetensors and, beside them, what belongs to them; their SHA-256."""
    data = save({name: value.contiguous() for name, value in network.state_dict().items()})
    digest = hashlib.sha256(data).hexdigest()
    told = {
        "model": MODEL,
        "version": VERSION,
        "sha256": digest,
        "thresholds": dict(zip(CLASSES, chosen, strict=True)),
        "parameters": parameters(network),
        "seed": seed,
        "steps": plan.steps,
        "batch": plan.batch,
        "torch": torch.__version__,
    }
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(data)
    to.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    return digest


def main() -> None:
    """Train, choose thresholds, write."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--slides", type=Path, required=True, help="folder of the images")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--miniature", action="store_true", help="a few steps, to see it run")
    parser.add_argument("--stain", choices=("he", "ihc"), help="learn from one stain alone")
    parser.add_argument("--to", type=Path, default=WEIGHTS, help="file of the weights")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stains = ("he", "ihc") if asked.stain is None else (asked.stain,)
    plan = MINIATURE if asked.miniature else Plan()
    network, _ = train(Patches(read(asked.slides, "learn", stains)), plan, asked.seed)
    tune = read(asked.slides, "tune", stains)
    ready = Trained(network, "", ())
    count = 40 if asked.miniature else 400
    chosen = thresholds(ready, tune, Patches(tune), count, asked.seed)
    digest = write(network, chosen, plan, asked.seed, asked.to)
    _LOG.info("%s: sha256 %s, thresholds %s", asked.to.name, digest, chosen)


if __name__ == "__main__":
    main()
