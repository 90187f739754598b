"""How well blur is measured on scanners and stains that were left out of training.

    python -m benchmarks.quality.focus --slides DIR [--fields 36] [--seed 0]

All defocus here is synthetic: real tissue, a computed point spread, noise, JPEG. Scanners are what
the slides are (one or two glasses each), so a scanner's figure is a slide's too. Radii, JPEG
qualities and staining of the tests are never those of training. Intervals are 95 %, by drawing
fields (not cells, which are alike within a field) 100 times.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from scipy.stats import rankdata, spearmanr

from benchmarks.measure import machine, record
from benchmarks.quality.focus_clean import clean
from benchmarks.quality.focus_peers import MEASURES, SCALES, classical
from benchmarks.quality.focus_plot import draw
from processing.quality.focus import BAD_UM
from processing.quality.focus_features import features
from processing.quality.focus_model import FocusModel, from_arrays
from processing.quality.training import focus
from processing.quality.training.sources import SOURCES, Opened, Source, open_sources
from processing.quality.training.synthesis import (
    LEAST_TISSUE,
    TEST,
    TEST_GAUSSIAN,
    TRAIN,
    Recipe,
    Samples,
    make,
    samples,
)
from storage.on_demand import load

LOOKED_AT = (
    Source(
        "aperio/TCGA-CR-7395-01A-01-TS1.svs",
        "77da93f125bfc55570b9731af309b81904dc2648722103d7c3bf5db4f8a6a365",
        0.5, "Aperio (TCGA, JPEG 2000)", "he", "TCGA open access", estimated=True,
    ),
    Source(
        "ome-tiff/OS-1-detail.ome.tif",
        "bd12ffce4aa773158aaca74c318b7dd0fc142e0ddd029f925a1aba2578e37179",
        0.2271, "Hamamatsu", "he", "OpenSlide test data",
    ),
    Source(
        "ome-tiff/OS-2-ndpi.ome.tif",
        "f6c9b7728ffa84e7474771c9d36520aaadb1802564176f83c38272aafeada0ef",
        0.2271, "Hamamatsu", "ihc", "OpenSlide test data",
    ),
)  # fmt: skip
"""Never trained on: their licence does not say that weights may be passed on."""
ALL = (*SOURCES, *LOOKED_AT)
DRAWS = 100
Figures = dict[str, Any]


@dataclass
class Tested:
    """Cells that were made, and what each measure says of them; more is more blur."""

    seen: np.ndarray
    radius: np.ndarray
    source: np.ndarray
    place: np.ndarray
    """Which field."""
    said: dict[str, np.ndarray]

    def only(self, chosen: np.ndarray) -> Tested:
        said = {name: values[chosen] for name, values in self.said.items()}
        return Tested(
            self.seen[chosen], self.radius[chosen], self.source[chosen], self.place[chosen], said
        )


def tested(opened: Sequence[Opened], recipe: Recipe, fields: int, seed: int) -> Tested:
    """The same cells for all measures."""
    seen, truth, said = [], [], []
    for number, source in enumerate(opened):
        random = np.random.default_rng([seed, number])
        for turn in range(fields):
            made = make(source, recipe, random, turn)
            kept = made.tissue >= LEAST_TISSUE
            seen.append(features(made.pixels, made.block, made.um)[kept])
            said.append(classical(made)[kept])
            row = (made.radius, number, number * fields + turn)
            truth.append(np.tile(row, (int(kept.sum()), 1)))
    known = np.concatenate(truth)
    values = np.concatenate(said)
    named = {name: values[:, at] for at, name in enumerate(MEASURES)}
    return Tested(
        np.concatenate(seen), known[:, 0], known[:, 1].astype(int), known[:, 2].astype(int), named
    )


@dataclass
class Left:
    """Models that were not shown some slides, each made once."""

    trained: Samples
    seed: int
    made: dict[bytes, tuple[FocusModel, Any]] = field(default_factory=dict)

    def without(self, key: str, word: str) -> tuple[FocusModel, Any]:
        """Network and trees trained on all but the sources whose `key` is `word`."""
        words = np.array([getattr(source, key) for source in ALL])
        keep = words[self.trained.source] != word
        if keep.tobytes() not in self.made:
            some = _part(self.trained, keep)
            network = from_arrays(focus.fit(some, focus.FULL, self.seed))
            forest = _trees(some, self.seed) if find_spec("sklearn") else None
            self.made[keep.tobytes()] = network, forest
        return self.made[keep.tobytes()]

    def ask(self, cells: Tested, key: str) -> None:
        """Enter what they say of the slides that they were not shown."""
        words = np.array([getattr(source, key) for source in ALL])[cells.source]
        said, trees = np.full((2, len(words)), np.nan)
        for word in sorted(set(words)):
            network, forest = self.without(key, word)
            chosen = words == word
            said[chosen] = network.radius(cells.seen[chosen])
            if forest is not None:
                trees[chosen] = np.exp2(forest.predict(cells.seen[chosen])) - 1
        cells.said["svartid"] = said
        if np.isfinite(trees).any():
            cells.said["trees on the same features"] = trees


def _part(trained: Samples, keep: np.ndarray) -> Samples:
    return Samples(trained.seen[keep], trained.radius[keep], trained.source[keep])


def _trees(trained: Samples, seed: int) -> Any:  # noqa: ANN401 - of an optional package
    """Gradient-boosted trees on the same features: what the network has to be better than."""
    forest = load("sklearn.ensemble:HistGradientBoostingRegressor")(
        max_iter=300, max_depth=4, learning_rate=0.05, l2_regularization=1.0, random_state=seed
    )
    share = 1 / np.bincount(trained.source)[trained.source]
    forest.fit(trained.seen, np.log2(1 + trained.radius), sample_weight=share / share.mean())
    return forest


def auroc(said: np.ndarray, truth: np.ndarray) -> float:
    """Area under the curve, ties counted half."""
    bad = int(truth.sum())
    if bad in (0, len(truth)):
        return float("nan")
    ranks = rankdata(said)
    return float((ranks[truth].sum() - bad * (bad + 1) / 2) / (bad * (len(truth) - bad)))


def figures(said: np.ndarray, cells: Tested, seed: int = 0) -> Figures:
    """SRCC and AUROC of one measure with intervals; `far` leaves out 0.85 < r < 1.7 µm."""
    known = np.isfinite(said)
    said, cells = said[known], cells.only(known)
    if not len(said):
        return {"cells": 0}
    bad = cells.radius >= BAD_UM
    each = [
        float(spearmanr(said[cells.source == at], cells.radius[cells.source == at]).statistic)
        for at in np.unique(cells.source)
        if len(np.unique(cells.radius[cells.source == at])) > 1
    ]
    far = bad | (cells.radius < 1)
    return {
        "cells": len(said),
        "fields": len(np.unique(cells.place)),
        "srcc": float(spearmanr(said, cells.radius).statistic),
        "srcc_within": float(np.mean(each)),
        "auroc": auroc(said, bad),
        "auroc_far": auroc(said[far], bad[far]),
        "interval": _interval(said, cells, seed),
    }


def _interval(said: np.ndarray, cells: Tested, seed: int) -> dict[str, list[float]]:
    random = np.random.default_rng(seed)
    names, places = np.unique(cells.place, return_inverse=True)
    order = np.argsort(places, kind="stable")
    rows = np.split(order, np.cumsum(np.bincount(places))[:-1])
    found = []
    for _ in range(DRAWS):
        drawn = np.concatenate([rows[at] for at in random.integers(0, len(names), len(names))])
        radius = cells.radius[drawn]
        found.append(
            (spearmanr(said[drawn], radius).statistic, auroc(said[drawn], radius >= BAD_UM))
        )
    low, high = np.nanpercentile(np.array(found), (2.5, 97.5), axis=0).tolist()
    return {"srcc": [low[0], high[0]], "auroc": [low[1], high[1]]}


def in_um(said: np.ndarray, cells: Tested) -> Figures:
    """What a measure in µm says of each radius, and of sharp cells."""
    clean = said[cells.radius == 0]
    return {
        "median": {f"{at:g}": float(np.median(said[cells.radius == at])) for at in TEST.radii},
        "clean_p95": float(np.percentile(clean, 95)),
        "clean_called_bad_pct": float(100 * np.mean(clean >= BAD_UM)),
        "bad_found_pct": float(100 * np.mean(said[cells.radius >= BAD_UM] >= BAD_UM)),
    }


def by(words: Sequence[str], said: np.ndarray, cells: Tested) -> dict[str, Figures]:
    """Figures of each group, and what it says in µm."""
    found = {}
    each = np.array(words)[cells.source]
    for word in sorted(set(each)):
        chosen = each == word
        part = cells.only(chosen)
        found[word] = figures(said[chosen], part) | {"um": in_um(said[chosen], part)}
    return found


def main() -> int:
    """Measure, record, draw."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.focus")
    parser.add_argument("--slides", type=Path, required=True)
    parser.add_argument("--fields", type=int, default=36)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--note", default="")
    asked = parser.parse_args()
    cv2.setNumThreads(1)
    images = open_sources(asked.slides, ALL)
    trained = samples(images[: len(SOURCES)], TRAIN, focus.FULL.fields, asked.seed)
    left = Left(trained, asked.seed)
    document: Figures = {
        "machine": machine(), "note": asked.note, "seed": asked.seed, "synthetic": True,
        "training_cells": len(trained.radius), "sources": [source.path for source in ALL],
    }  # fmt: skip
    for word, recipe in (("disk", TEST), ("gaussian", TEST_GAUSSIAN)):
        cells = tested(images, recipe, asked.fields, asked.seed + 1000)
        left.ask(cells, "scanner")
        document[word] = _of(cells)
        if word == "disk":
            left.ask(cells, "stain")
            stains = [source.stain for source in ALL]
            document["stain_left_out"] = by(stains, cells.said["svartid"], cells)
    document["scales"] = list(SCALES)
    document["clean_slides"] = clean(asked.slides, lambda name: left.without("scanner", name)[0])
    path = record("quality-focus", document)
    draw(document, path.with_suffix(".svg"))
    print(path)
    return 0


def _of(cells: Tested) -> Figures:
    ours = cells.said["svartid"]
    scanners = by([source.scanner for source in ALL], ours, cells)
    return {
        "measures": {name: figures(said, cells) for name, said in cells.said.items()},
        "um": in_um(ours, cells),
        "scanners": scanners,
        "sources": by([source.path for source in ALL], ours, cells),
        "worst_scanner_srcc": min(scanners, key=lambda name: scanners[name]["srcc"]),
        "worst_scanner_auroc": min(scanners, key=lambda name: scanners[name]["auroc"]),
        "histoqc_rule": _rule(cells),
    }


def _rule(cells: Tested) -> Figures:
    """HistoQC's own threshold: the part of bad and of sharp cells that it calls blurred."""
    called = -cells.said["HistoQC rule 4"] <= 0.15
    return {
        "bad_called_pct": float(100 * called[cells.radius >= BAD_UM].mean()),
        "sharp_called_pct": float(100 * called[cells.radius == 0].mean()),
    }


if __name__ == "__main__":
    raise SystemExit(main())
