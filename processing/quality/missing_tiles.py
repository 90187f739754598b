"""Tiles that are not there, cannot be decoded, or are of one colour where there is tissue around.

Exact: every tile of level 0 over or beside tissue is decoded, to the means of its blocks of 8 x 8.
A scanner that skips glass leaves tiles out on purpose, or fills them with one colour: such a tile
counts only where the coarser levels show tissue in it, or where tissue ends all around it, as no
tissue does by itself along the straight edges of tiles.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from processing import jpeg
from processing.jpeg import Pixels
from processing.quality.check import CellMap, Measured
from processing.quality.slide_view import SlideView
from processing.tile_codec import decode_tile
from storage.errors import Damaged, StoreDamaged
from storage.records.quality import Basis, Spot
from storage.records.slide import JpegEncoding

_TISSUE = 0.25
"""The part of a tile that is tissue from which an empty one is missed."""
_AROUND = 0.6
"""The part of the rim around empty tiles that is tissue, from which they are missed."""
_ONE_COLOUR = 1
"""Grey levels that the means of blocks of one colour may differ by."""
_BLOCK = 8
"""Means along the side of a part of one colour that counts inside a tile: 64 pixels."""
_PRESENT, _MISSING, _DAMAGED, _CONSTANT = 0, 1, 2, 3
State = NDArray[np.uint8]


class MissingTiles:
    """`tiles.missing`."""

    id, version, basis, unit = "tiles.missing", "2", Basis.EXACT, "mm2"

    def begin(self, slide: SlideView) -> MissingTilesLook:
        """Begin to look."""
        return MissingTilesLook(slide)


class MissingTilesLook:
    """Of one slide."""

    def __init__(self, slide: SlideView) -> None:
        self._slide, self._level = slide, min(slide.present)

    def end(self) -> Measured:
        """How many are missing, and how much tissue that is."""
        slide, edge = self._slide, self._slide.edge
        grid = slide.size.in_tiles(edge)
        share = slide.tissue.by_cells(max(edge >> slide.tissue.level, 1), grid.width, grid.height)
        beside = cv2.dilate((share > 0).astype(np.uint8), np.ones((3, 3), np.uint8))
        state = np.zeros((grid.height, grid.width), np.uint8)
        for row, column in np.argwhere(beside > 0).tolist():
            state[row, column] = self._state(column, row)
        self._forgive(state, share)
        return _measured(state, edge, slide)

    def _state(self, column: int, row: int) -> int:
        slide = self._slide
        try:
            data = slide.read_tile(self._level, column, row)
            if data is None:
                return _MISSING
            means = _means(data, slide, self._level)
        except (Damaged, StoreDamaged):
            return _DAMAGED
        # What lies beyond the slide's edge is no part of the picture.
        across = min(slide.edge, slide.size.width - column * slide.edge) // 8
        down = min(slide.edge, slide.size.height - row * slide.edge) // 8
        inside = means[: max(down, 1), : max(across, 1)]
        one = np.ptp(inside.reshape(-1, 3).astype(np.int16), axis=0).max() <= _ONE_COLOUR
        return _CONSTANT if one or _has_block(inside, slide) else _PRESENT

    def _forgive(self, state: State, share: NDArray[np.float32]) -> None:
        """Empty tiles where there never was tissue are as they should be."""
        tissue = self._slide.tissue.mask.astype(np.uint8)
        cell = max(self._slide.edge >> self._slide.tissue.level, 1)
        empty = ((state == _MISSING) | (state == _CONSTANT)).astype(np.uint8)
        count, labels = cv2.connectedComponents(empty, connectivity=4)
        for number in range(1, count):
            here = labels == number
            if not _ringed(here, tissue, cell):
                state[here & (share < _TISSUE)] = _PRESENT


def _means(data: bytes, slide: SlideView, level: int) -> Pixels:
    """Means of blocks of 8 x 8, [row, column, 3]. Errors: Damaged."""
    encoding, edge = slide.present[level].encoding, slide.edge
    if isinstance(encoding, JpegEncoding):
        return jpeg.decode_eighth(data, edge)
    whole = decode_tile(data, encoding, edge)
    side = max(edge // 8, 1)
    return np.asarray(cv2.resize(whole, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def _has_block(means: Pixels, slide: SlideView) -> bool:
    """True for a part of one colour that is neither glass nor ink: a block that was filled in."""
    if min(means.shape[:2]) < _BLOCK:
        return False
    window = np.ones((_BLOCK, _BLOCK), np.uint8)
    highest, lowest = cv2.dilate(means, window), cv2.erode(means, window)
    margin = _BLOCK // 2
    inner = (slice(margin, -margin + 1), slice(margin, -margin + 1))
    alike = (highest == lowest).all(axis=2)[inner]
    if not alike.any():
        return False
    colours = means[inner][alike].astype(np.float32)
    glass = np.array(slide.tissue.background, np.float32)
    return bool(((colours.min(axis=1) < 0.85 * glass.min()) & (colours.max(axis=1) > 40)).any())


def _ringed(tiles: NDArray[np.bool_], tissue: NDArray[np.uint8], cell: int) -> bool:
    """True where tissue ends along most of the rim of these tiles."""
    rows, columns = np.flatnonzero(tiles.any(axis=1)), np.flatnonzero(tiles.any(axis=0))
    top, left = max(int(rows[0]) - 1, 0), max(int(columns[0]) - 1, 0)
    part = tiles[top : int(rows[-1]) + 2, left : int(columns[-1]) + 2].astype(np.uint8)
    hole = np.kron(part, np.ones((cell, cell), np.uint8))
    y, x = top * cell, left * cell
    around = tissue[y : y + hole.shape[0], x : x + hole.shape[1]]
    hole = hole[: around.shape[0], : around.shape[1]]
    # The mask is smoothed: two of its pixels from the edge it is what it would have been.
    rim = (cv2.dilate(hole, np.ones((7, 7), np.uint8)) > 0) & (
        cv2.dilate(hole, np.ones((3, 3), np.uint8)) == 0
    )
    return bool(rim.any() and around[rim].mean() >= _AROUND)


def _measured(state: State, edge: int, slide: SlideView) -> Measured:
    counts = {
        word: int((state == number).sum())
        for number, word in ((_MISSING, "missing"), (_DAMAGED, "damaged"), (_CONSTANT, "constant"))
    }
    lost = counts["missing"] + counts["constant"]
    side = None if slide.mpp is None else slide.mpp * edge / 1000
    area = float(lost) if side is None else round(lost * side**2, 4)
    drawn = CellMap(state.astype(np.float32), edge, classes=("missing", "damaged", "constant"))
    spots = tuple(_spots(state, slide))
    return Measured(counts | {"missing_mm2": area}, drawn if state.any() else None, spots)


def _spots(state: State, slide: SlideView) -> Iterator[Spot]:
    edge, size = slide.edge, slide.size
    area = None if slide.mpp is None else (slide.mpp * edge / 1000) ** 2
    for row, column in np.argwhere(state > 0)[:200].tolist():
        x, y = column * edge, row * edge
        yield Spot((x, y, min(edge, size.width - x), min(edge, size.height - y)), area)
