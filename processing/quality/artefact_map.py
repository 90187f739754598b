"""Folds, bubbles and dust over one slide: the network is run once a field, three checks read it.

Cells are 8 pixels of the working level (8 µm, less where pixels are smaller), hence a power of two
of level 0; the mask of tissue has the same cells. Only tissue counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from weakref import WeakValueDictionary

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.jpeg import Pixels
from processing.quality.check import CELL, CellMap, Field, Measured, NotEvaluated
from processing.quality.device import torch_installed
from processing.quality.slide_view import SlideView
from storage.on_demand import load
from storage.records.quality import ModelRef, Spot

STRIDE = 8
_FINEST_UM = 0.85
"""Finer pixels are made coarser to 1 µm first: the network knows sizes in µm."""
_MOST_SPOTS = 50
_LEAST_CELLS = {"fold": 4, "bubble": 12, "dust": 2}
"""Smaller patches of a class are left out: no fold is 16 µm long, no bubble 30 µm wide."""
LIMITS = ("trained_on_synthetic_artefacts",)


@dataclass(slots=True, weakref_slot=True)
class ArtefactMap:
    """What the network finds on a slide, [class, row, column], NaN where it was not run."""

    slide: SlideView
    um: float
    found: NDArray[np.float32] = field(init=False)
    _seen: set[tuple[int, int]] = field(default_factory=set)

    def __post_init__(self) -> None:
        size = self.slide.working_size
        rows, columns = -(-size.height // STRIDE), -(-size.width // STRIDE)
        self.found = np.full((3, rows, columns), np.nan, np.float32)

    def see(self, seen: Field) -> None:
        """Run the network on a field, unless another check has."""
        if (seen.x, seen.y) in self._seen:
            return
        self._seen.add((seen.x, seen.y))
        probabilities = _probabilities(seen.pixels, self.um)
        top, left = seen.top // STRIDE, seen.left // STRIDE
        row, column = seen.y // STRIDE, seen.x // STRIDE
        rows = min(seen.rows * CELL // STRIDE, self.found.shape[1] - row)
        columns = min(seen.columns * CELL // STRIDE, self.found.shape[2] - column)
        self.found[:, row : row + rows, column : column + columns] = probabilities[
            :, top : top + rows, left : left + columns
        ]

    def measured(self, name: str) -> Measured:
        """The part of the tissue a class covers, where, and how sure. Errors: NotEvaluated."""
        tissue = self._tissue()
        whole = int(tissue.sum())
        if not whole:
            raise NotEvaluated("no_tissue")
        network = load("processing.quality.artefact_network:trained")()
        classes = load("processing.quality.artefact_network:CLASSES")
        index = classes.index(name)
        probability = self.found[index]
        over = tissue & (np.nan_to_num(probability) >= network.thresholds[index])
        over = _without_small(over, _LEAST_CELLS[name])
        cell_mm2 = (self.um * STRIDE / 1000) ** 2
        covered = int(over.sum())
        figures = {
            "area_pct": round(100 * covered / whole, 3),
            "area_mm2": round(covered * cell_mm2, 4),
        }
        cell = STRIDE << self.slide.working
        values = np.where(np.isnan(probability), np.nan, over).astype(np.float32)
        model = ModelRef("artefacts", network.version, network.sha256)
        spots = _spots(over, probability, cell, cell_mm2)
        drawn = CellMap(values, cell, classes=(name,)) if covered else None
        return Measured(figures, drawn, spots, LIMITS, model)

    def _tissue(self) -> NDArray[np.bool_]:
        rows, columns = self.found.shape[1:]
        mask = self.slide.tissue.mask[:rows, :columns]
        fill = ((0, rows - mask.shape[0]), (0, columns - mask.shape[1]))
        padded: NDArray[np.bool_] = np.pad(mask, fill) & ~np.isnan(self.found[0])
        return padded


_MAPS: WeakValueDictionary[int, ArtefactMap] = WeakValueDictionary()
"""By the identity of the slide, which a map keeps alive; gone with the run that looks."""


def artefact_map(slide: SlideView) -> ArtefactMap:
    """The map that all checks of one run over a slide share.

    Errors: NotEvaluated without torch, or without a pixel size.
    """
    if not torch_installed():
        raise NotEvaluated("torch_missing")
    if slide.um is None:
        raise NotEvaluated("mpp_unknown")
    known = _MAPS.get(id(slide))
    if known is None:
        known = _MAPS[id(slide)] = ArtefactMap(slide, slide.um)
    return known


class ArtefactLook:
    """Of one slide, for one class."""

    def __init__(self, slide: SlideView, name: str) -> None:
        self._map, self._name = artefact_map(slide), name

    def see(self, seen: Field) -> None:
        """Look at a field."""
        self._map.see(seen)

    def end(self) -> Measured:
        """What it came to."""
        return self._map.measured(self._name)


def _probabilities(pixels: Pixels, um: float) -> NDArray[np.float32]:
    network = load("processing.quality.artefact_network:trained")()
    height, width = pixels.shape[:2]
    if um >= _FINEST_UM or min(height, width) * um < STRIDE:
        found: NDArray[np.float32] = network.probabilities(pixels)
        return found
    size = (round(width * um), round(height * um))
    coarse = network.probabilities(
        cv2.resize(pixels, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    )
    cells = (-(-width // STRIDE), -(-height // STRIDE))
    return np.stack(
        [cv2.resize(at, cells, interpolation=cv2.INTER_LINEAR) for at in coarse]
    ).astype(np.float32, copy=False)


def _without_small(over: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    _, labels, stats, _ = cv2.connectedComponentsWithStats(over.astype(np.uint8), connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    kept: NDArray[np.bool_] = keep[labels]
    return kept


def _spots(
    over: NDArray[np.bool_], probability: NDArray[np.float32], cell: int, cell_mm2: float
) -> tuple[Spot, ...]:
    """The largest patches; boxes in pixels of level 0."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(
        over.astype(np.uint8), connectivity=8
    )
    largest = sorted(range(1, count), key=lambda at: (-int(stats[at, cv2.CC_STAT_AREA]), at))
    spots = []
    for at in largest[:_MOST_SPOTS]:
        x, y, width, height, area = (int(value) for value in stats[at])
        inside = labels[y : y + height, x : x + width] == at
        most = float(probability[y : y + height, x : x + width][inside].max())
        box = (x * cell, y * cell, width * cell, height * cell)
        spots.append(Spot(box, round(area * cell_mm2, 4), round(most, 3)))
    return tuple(spots)
