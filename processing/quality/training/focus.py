"""Trains the focus model; a run on the same machine with the same torch gives the same bytes.

    python -m processing.quality.training.focus --slides DIR --seed 0 [--out FILE] [--miniature]

Development only: nothing that runs at a hospital imports this. `--miniature` is what the tests
run: few fields and steps, of tissue drawn by the program, so that no slide is needed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import save
from torch import nn

from processing.quality.focus_features import NAMES
from processing.quality.focus_model import MODEL
from processing.quality.training.sources import drawn, open_sources
from processing.quality.training.synthesis import TRAIN, VERSION, Samples, samples

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is made and how long it is looked at; counts, never seconds."""

    fields: int = 120
    """Of each source."""
    steps: int = 3000
    batch: int = 512
    width: int = 48
    rate: float = 2e-3
    decay: float = 1e-3
    shaken: float = 0.03
    """Standard deviations of noise on features: what two scanners differ by."""


FULL = Plan()
MINIATURE = Plan(fields=12, steps=300, batch=128, width=16)


def fit(made: Samples, plan: Plan, seed: int) -> dict[str, Array]:
    """The arrays of a model, by name; every source counts alike."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    middle, spread = made.seen.mean(axis=0), made.seen.std(axis=0) + 1e-3
    inputs = torch.from_numpy((made.seen - middle) / spread).clamp(-6, 6)
    truth = torch.from_numpy(np.log2(1 + made.radius))
    network = nn.Sequential(
        nn.Linear(len(NAMES), plan.width), nn.SiLU(),
        nn.Linear(plan.width, plan.width), nn.SiLU(),
        nn.Linear(plan.width, 1),
    )  # fmt: skip
    optimiser = torch.optim.AdamW(network.parameters(), plan.rate, weight_decay=plan.decay)
    falling = torch.optim.lr_scheduler.OneCycleLR(optimiser, plan.rate, total_steps=plan.steps)
    dice = torch.Generator().manual_seed(seed)
    share = torch.from_numpy(1 / np.bincount(made.source)[made.source])
    for _ in range(plan.steps):
        chosen = torch.multinomial(share, plan.batch, replacement=True, generator=dice)
        shaken = inputs[chosen] + plan.shaken * torch.randn(plan.batch, len(NAMES), generator=dice)
        loss = nn.functional.huber_loss(network(shaken)[:, 0], truth[chosen], delta=0.5)
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        optimiser.step()
        falling.step()
    return _arrays(network, middle, spread)


def _arrays(network: nn.Sequential, middle: Array, spread: Array) -> dict[str, Array]:
    found = {"middle": middle.astype(np.float32), "spread": spread.astype(np.float32)}
    layers = [layer for layer in network if isinstance(layer, nn.Linear)]
    for number, layer in enumerate(layers):
        found[f"{number}.weight"] = layer.weight.detach().numpy().copy()
        found[f"{number}.bias"] = layer.bias.detach().numpy().copy()
    return found


def packed(arrays: dict[str, Array], seed: int) -> bytes:
    """The file of a model."""
    told = {"features": NAMES, "synthesis": VERSION, "seed": seed}
    # One key, since safetensors leaves the order of several to chance.
    data: bytes = save(arrays, {"svartid": json.dumps(told)})
    return data


def main(words: Sequence[str] | None = None) -> int:
    """Train, write, print the digest that focus_model.py has to name."""
    parser = argparse.ArgumentParser(prog="python -m processing.quality.training.focus")
    parser.add_argument("--slides", type=Path, help="the folder with all sources")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=MODEL)
    parser.add_argument("--miniature", action="store_true")
    asked = parser.parse_args(words)
    if asked.slides is None and not asked.miniature:
        parser.error("--slides is needed, but for --miniature")
    cv2.setNumThreads(1)
    plan = MINIATURE if asked.miniature else FULL
    images = [drawn(1), drawn(2)] if asked.miniature else open_sources(asked.slides)
    made = samples(images, TRAIN, plan.fields, asked.seed)
    data = packed(fit(made, plan, asked.seed), asked.seed)
    asked.out.write_bytes(data)
    sys.stdout.write(f"{hashlib.sha256(data).hexdigest()}  {asked.out}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
