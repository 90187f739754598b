"""How well folds, bubbles and dust are found: drawn ones on slides never learnt from, real slides.

python -m benchmarks.quality.folds [--slides DIR] [--he-alone FILE] [--patches 300] [--record]

Artefacts are synthetic: figures say how the network does on such, and are a ceiling for real ones.
`--he-alone` names weights trained with `--stain he`; they are measured on IHC, unseen by them.
Intervals are 95 %: bootstrap over patches, Wilson over slides.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.measure import machine, record
from processing.quality.artefact_network import CLASSES, WEIGHTS, Trained, trained
from processing.quality.assess import assess
from processing.quality.checks import checks
from processing.quality.training.artefact_patches import Patches, Scan
from processing.quality.training.artefact_sources import Read, read
from processing.quality.training.artefact_synthesis import HELD_OUT, LEARNT, Sizes
from processing.quality.training.artefacts import over_tissue
from processing.quality.verdict import DEFAULT
from storage.records.proportion import wilson
from tests.conftest import slides_folder
from tests.processing.quality.slides import slide_view

CHECKS = tuple(f"{name}.area" for name in CLASSES)
_SEED, _RESAMPLES = 20_000, 40
_TEST_SCAN = Scan(stain=(0.6, 1.4), quality=(40, 90), noise=3.0)
"""Wider than in training (0.7-1.35, 45-95, 2.5)."""
Cells = NDArray[np.float32]


def auroc(score: Cells, truth: Cells) -> float | None:
    """The chance that a covered cell scores above a free one; ties count half."""
    positive = truth.ravel() > 0
    count, rest = int(positive.sum()), int((~positive).sum())
    if not count or not rest:
        return None
    _, inverse, repeats = np.unique(score.ravel(), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(repeats) - (repeats - 1) / 2)[inverse]
    return float((ranks[positive].sum() - count * (count + 1) / 2) / (count * rest))


def dice(score: Cells, truth: Cells, threshold: float) -> float:
    """Twice the overlap by the sum of both areas."""
    over = score >= threshold
    both = float((over & (truth > 0)).sum())
    return 2 * both / max(float(over.sum()) + float(truth.sum()), 1)


def drawn(network: Trained, patches: Patches, kind: str, count: int) -> dict[str, Any]:
    """One kind drawn on real tissue: AUROC and Dice of its cells, with intervals."""
    index, scores, truths = CLASSES.index(kind), [], []
    for at in range(count):
        patch = patches.draw(np.random.default_rng((_SEED, at)), (kind,), _TEST_SCAN)
        scores.append(network.probabilities(patch.pixels)[index])
        truths.append(patch.truth[index])
    score, truth = np.stack(scores), np.stack(truths)
    threshold = network.thresholds[index]
    random = np.random.default_rng(_SEED)
    areas, overlaps = [], []
    for _ in range(_RESAMPLES):
        some = random.integers(0, count, count)
        overlaps.append(dice(score[some], truth[some], threshold))
        areas.append(auroc(score[some], truth[some]) or 0.0)
    whole = auroc(score, truth)
    over = score >= threshold
    return {
        "patches": count,
        "cells_covered": int(truth.sum()),
        "auroc": _rounded(whole),
        "auroc_95": [_rounded(float(at)) for at in np.percentile(areas, [2.5, 97.5])],
        "dice": _rounded(dice(score, truth, threshold)),
        "dice_95": [_rounded(float(at)) for at in np.percentile(overlaps, [2.5, 97.5])],
        "recall": _rounded(float((over & (truth > 0)).sum() / max(truth.sum(), 1))),
        "precision": _rounded(float((over & (truth > 0)).sum() / max(over.sum(), 1))),
        "touched": _rounded(_touched(over, truth)),
    }


def _touched(over: NDArray[np.bool_], truth: Cells) -> float:
    """The part of patches with an artefact where a tenth of it or more was found."""
    found = [
        (o & (t > 0)).sum() >= 0.1 * t.sum() for o, t in zip(over, truth, strict=True) if t.any()
    ]
    return float(np.mean(found)) if found else 0.0


def alike(network: Trained, patches: Patches, count: int) -> dict[str, Any]:
    """No artefact, a third with pen, dense tissue, pigment or defocus: what is taken for one."""
    found = np.stack(
        [
            network.probabilities(
                patches.draw(np.random.default_rng((_SEED, 1, at)), (), _TEST_SCAN).pixels
            )
            for at in range(count)
        ],
        axis=1,
    )
    return {
        name: _rounded(100 * float((found[index] >= network.thresholds[index]).mean()))
        for index, name in enumerate(CLASSES)
    }


def real(image: Read) -> dict[str, Any]:
    """The three checks on a real image, as the service runs them."""
    view = slide_view(image.pixels, image.um)
    mm2 = view.tissue.mm2 or 0.0
    began = time.process_time()
    found = assess(view, checks(CHECKS), DEFAULT)
    seconds = time.process_time() - began
    areas = {at.check: at.figures.get("area_pct") for at in found.findings}
    print(image.source.path, areas, round(seconds, 1), flush=True)
    return {
        "slide": image.source.path,
        "stain": image.source.stain,
        "shows_a_real_fold": not image.source.clean,
        "tissue_mm2": round(mm2, 3),
        "area_pct": areas,
        "state": {at.check: str(at.state) for at in found.findings},
        "cpu_s": round(seconds, 2),
    }


def speed(network: Trained) -> float:
    """CPU milliseconds of the network for a megapixel of a field with its halo."""
    pixels = np.random.default_rng(1).integers(0, 256, (1088, 1088, 3), dtype=np.uint8)
    took = []
    for _ in range(4):
        began = time.process_time()
        network.probabilities(pixels)
        took.append(time.process_time() - began)
    return round(1000 * min(took) / (1088**2 / 1e6), 1)


def _false_area(network: Trained, image: Read) -> dict[str, Any]:
    found = over_tissue(network, image)
    return {
        name: _rounded(100 * float((found[index] >= network.thresholds[index]).mean()))
        for index, name in enumerate(CLASSES)
    }


def _conditions(network: Trained, images: Sequence[Read], count: int) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for kind in CLASSES:
        told[kind] = drawn(network, Patches(images), kind, count)
        print(kind, told[kind], flush=True)
    for name, sizes in HELD_OUT.items():
        told[f"held out: {name}"] = drawn(network, Patches(images, sizes), name.split()[0], count)
    return told


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 4)


def measure(slides: Path, he_alone: Path | None, count: int) -> dict[str, Any]:
    """Everything."""
    network = trained(WEIGHTS)
    test = read(slides, "test")
    clean = [at for at in test if at.source.clean]
    seen = [real(image) for image in test]
    alarms = sum("review" in at["state"].values() for at in seen if not at["shows_a_real_fold"])
    told = {
        "machine": machine(),
        "weights": network.sha256,
        "thresholds": dict(zip(CLASSES, network.thresholds, strict=True)),
        "sizes_learnt_um": {name: list(getattr(LEARNT, name)) for name in Sizes.__annotations__},
        "drawn_on_unseen_slides": _conditions(network, clean, count),
        "alike_area_pct": alike(network, Patches(clean), count),
        "real_slides": seen,
        "clean_slides_for_review": {
            "n": len(clean), "count": alarms,
            "wilson_95": [_rounded(at) for at in wilson(alarms, len(clean))[1:]],
        },
        "ms_per_megapixel": speed(network),
    }  # fmt: skip
    if he_alone is not None:
        alone = trained(he_alone)
        unseen = read(slides, "learn", ("ihc",)) + read(slides, "test", ("ihc",))
        told["he_alone_on_ihc"] = {
            "weights": alone.sha256,
            "drawn": {kind: drawn(alone, Patches(unseen), kind, count) for kind in CLASSES},
            "false_area_pct": {at.source.path: _false_area(alone, at) for at in unseen},
        }
    return told


def main() -> None:
    """Measure, print, record."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--slides", type=Path, default=slides_folder())
    parser.add_argument("--he-alone", type=Path)
    parser.add_argument("--patches", type=int, default=300)
    parser.add_argument("--record", action="store_true")
    asked = parser.parse_args()
    told = measure(asked.slides, asked.he_alone, asked.patches)
    for name, value in told.items():
        print(name, value)
    if asked.record:
        print(record("quality-folds", told))


if __name__ == "__main__":
    main()
