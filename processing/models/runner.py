"""A model over a slide: patches with their halo in, answers stitched, laid over the tissue.

The model sees patches and nothing else. Where no tissue is, nothing
is asked and nothing is said.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from processing.models.ask import Ask, Patches, activated, prepared
from processing.models.reading import Target, patch, target_of
from processing.quality.check import CellMap, Cells
from processing.quality.slide_view import SlideView
from storage.errors import Refused
from storage.records.models import Activation, Manifest, ModelOutput
from storage.records.quality import Figure

BATCH = 8
_MOST_CELLS = 2**25
_STEP = 1 / 200
_LIKELY = 0.5
_MOST_STEPS = 254


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a model said of a slide: figures over the tissue, and maps to draw."""

    figures: dict[str, Figure]
    """`output.class.mean`, and `.area_pct` of what is likely (0.5 or more)."""
    maps: dict[str, CellMap]
    """By `output.class`, in cells of a power of two of level-0 pixels."""
    patches: int


def run(slide: SlideView, manifest: Manifest, ask: Ask, batch: int = BATCH) -> Outcome:
    """Ask about all tissue. Errors: Refused (mpp, stain, too fine); Damaged; those of `ask`."""
    _fits(slide, manifest)
    target, core = target_of(slide, manifest.input.mpp), core_of(manifest)
    places = np.argwhere(_tissue(slide, target, core)).tolist()
    stitched = {at.name: _empty(at, target, core) for at in manifest.outputs}
    for start in range(0, len(places), batch):
        some = places[start : start + batch]
        answers = ask(_patches(slide, manifest, target, some))
        for at in manifest.outputs:
            made = activated(answers[at.name], at)
            for (row, column), one in zip(some, made, strict=True):
                _put(stitched[at.name], _middle(one, at, manifest), row, column)
    figures: dict[str, Figure] = {"patches": len(places)}
    maps: dict[str, CellMap] = {}
    for at in manifest.outputs:
        step = at.stride or core
        seen = _tissue(slide, target, step)
        values = stitched[at.name][:, : seen.shape[0], : seen.shape[1]]
        values[:, ~seen] = np.nan
        if manifest.nodata is not None:
            values[values == np.float32(manifest.nodata)] = np.nan
        for word, layer in zip(at.classes, values, strict=True):
            figures |= _figures(f"{at.name}.{word}", layer, at)
            maps[f"{at.name}.{word}"] = _aligned(layer, step * target.scale, slide, at)
    return Outcome(figures, maps, len(places))


def core_of(manifest: Manifest) -> int:
    """Pixels along the middle of a patch: what it answers for."""
    return manifest.input.tile - 2 * manifest.input.halo


def _fits(slide: SlideView, manifest: Manifest) -> None:
    known = {word for word in (slide.order.stain, slide.order.stain_class) if word}
    if manifest.stains and known and not known & set(manifest.stains):
        raise Refused("stain_not_intended")


def _tissue(slide: SlideView, target: Target, step: int) -> NDArray[np.bool_]:
    """Whether there is any tissue in each cell of `step` target pixels, [row, column]."""
    mask, pixel = slide.tissue.mask, 2**slide.tissue.level
    sums = np.pad(mask.astype(np.int64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def edges(length: int, most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        at = np.arange(-(-length // step) + 1) * step * target.scale / pixel
        low = np.clip(np.floor(at[:-1] + 1e-9), 0, most).astype(np.intp)
        return low, np.clip(np.ceil(at[1:] - 1e-9), 0, most).astype(np.intp)

    (top, bottom), (left, right) = (
        edges(target.height, mask.shape[0]),
        edges(target.width, mask.shape[1]),
    )
    inside = sums[bottom][:, right] - sums[top][:, right] - sums[bottom][:, left]
    held: NDArray[np.bool_] = inside + sums[top][:, left] > 0
    return held


def _patches(
    slide: SlideView, manifest: Manifest, target: Target, places: list[list[int]]
) -> Patches:
    edge, halo, core = manifest.input.tile, manifest.input.halo, core_of(manifest)
    seen = [
        patch(slide, target, column * core - halo, row * core - halo, edge)
        for row, column in places
    ]
    return prepared(np.stack(seen), manifest.input)


def _empty(at: ModelOutput, target: Target, core: int) -> Cells:
    """Cells of all whole patches, nothing said yet. Errors: Refused."""
    per = core // at.stride if at.stride else 1
    rows, columns = (-(-length // core) * per for length in (target.height, target.width))
    if rows * columns * len(at.classes) > _MOST_CELLS:
        raise Refused("output_too_fine")
    return np.full((len(at.classes), rows, columns), np.nan, np.float32)


def _middle(one: Cells, at: ModelOutput, manifest: Manifest) -> Cells:
    """An answer without its halo: [class, row, column]."""
    if not at.stride:
        return one[:, None, None]
    halo = manifest.input.halo // at.stride
    return one[:, halo : one.shape[1] - halo, halo : one.shape[2] - halo]


def _put(whole: Cells, part: Cells, row: int, column: int) -> None:
    _, height, width = part.shape
    whole[:, row * height : (row + 1) * height, column * width : (column + 1) * width] = part


def _figures(name: str, layer: Cells, at: ModelOutput) -> dict[str, Figure]:
    said = layer[~np.isnan(layer)]
    if not said.size:
        return {f"{name}.mean": None}
    figures: dict[str, Figure] = {f"{name}.mean": round(float(said.mean(dtype=np.float64)), 6)}
    if at.activation is not Activation.NONE:
        figures[f"{name}.area_pct"] = round(100 * float((said >= _LIKELY).mean()), 4)
    return figures


def _aligned(layer: Cells, side: float, slide: SlideView, at: ModelOutput) -> CellMap:
    """Cells of a power of two of level-0 pixels, each the nearest of the model's own."""
    cell = 2 ** max(round(math.log2(side)), 0)
    rows, columns = -(-slide.size.height // cell), -(-slide.size.width // cell)

    def nearest(count: int, most: int) -> NDArray[np.intp]:
        at_cell = np.floor((np.arange(count) + 0.5) * cell / side)
        found: NDArray[np.intp] = np.clip(at_cell, 0, most - 1).astype(np.intp)
        return found

    values = layer[np.ix_(nearest(rows, layer.shape[0]), nearest(columns, layer.shape[1]))]
    most = float(np.nanmax(values)) if not np.isnan(values).all() else 1.0
    step = _STEP if at.activation is not Activation.NONE else max(most, 1e-6) / _MOST_STEPS
    return CellMap(values, cell, step)
