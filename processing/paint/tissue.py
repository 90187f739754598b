"""Paint one block of a slide: ground by anatomy, glands on top, glass around."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from .anatomy import Anatomy, Ground
from .glands import REACH, Gland, glands
from .noise import Field, hashed, wrapped
from .pixels import Pixels, blended
from .stains import Stain
from .textures import PERIOD, background, ground

BLOCK = PERIOD
"""Edge of a block in level-0 pixels: textures wrap at it, so a block needs no shifting."""

_NODE = 32
_RIM = 2
_PITCH = 205


class Tissue:
    """Everything painted once for a seed, and the blocks made from it. Safe to share."""

    def __init__(self, seed: int, width: int, height: int) -> None:
        self.anatomy = Anatomy.of(seed, width, height)
        self.seed = seed
        sheets, self.glass, self._glands, self._fray = _library(seed)
        self._plain, self._turned = sheets
        self._rags = np.clip(self._fray * np.float32(0.16), -1.9, 1.9) + np.float32(0.5)

    def block(self, column: int, row: int) -> Pixels:
        """Block of [BLOCK, BLOCK, 3]; bare glass is always the very same `glass` array."""
        x, y = _nodes(column, row)
        depth = self.anatomy.depth(x, y)
        if depth.max() < -40:
            return self.glass
        here = self.anatomy.at(x, y)
        pixels = self._ground(here)
        if here.mucosa.max() > 0.5:
            self._set_glands(pixels, column, row)
        if depth.min() < 48:
            inside = np.clip((_spread(depth) + self._fray) * np.float32(0.3) + 0.5, 0, 1)
            pixels = blended(pixels, self.glass, inside)
        pixels.flags.writeable = False
        return pixels

    def _ground(self, here: Ground) -> Pixels:
        """Loose stroma, then muscle, mucosa and follicles over it, each woven of two cloths."""
        pixels: Pixels | None = None
        mixed = here.weave.max() > 0 and here.weave.min() < 1
        weave = self._ragged(here.weave) if mixed else None
        shares = (None, here.muscle, here.mucosa, here.lymphoid, here.fat)
        for number, share in enumerate(shares):
            if share is not None and share.max() <= 0:
                continue
            if weave is None:
                cloth = (self._plain if here.weave.max() <= 0 else self._turned)[number]
            else:
                cloth = blended(self._turned[number], self._plain[number], weave)
            if pixels is None or share is None or share.min() >= 1:
                pixels = cloth
            else:
                over = self._ragged(share)
                pixels = blended(cloth, pixels, over)
        return np.array(pixels)

    def _ragged(self, share: Field) -> Field:
        """Shares of the lattice as cover of the pixels [BLOCK, BLOCK], 0 to 1.

        A long soft fade would show ghosts of nuclei; a short one along a ragged line does not.
        """
        cover = _spread(share)
        cover -= np.float32(0.5)
        cover *= np.float32(6)
        cover += self._rags
        return np.clip(cover, 0, 1, out=cover)

    def _set_glands(self, pixels: Pixels, column: int, row: int) -> None:
        """Stamp every gland that reaches into the block, in the same order for all blocks."""
        places, picks = self._gland_places(column * BLOCK, row * BLOCK)
        for (x, y), pick in zip(places, picks, strict=True):
            left, top = x - column * BLOCK - REACH, y - row * BLOCK - REACH
            rows = slice(max(0, top), min(BLOCK, top + 2 * REACH))
            columns = slice(max(0, left), min(BLOCK, left + 2 * REACH))
            if rows.start >= rows.stop or columns.start >= columns.stop:
                continue
            stamp = _turn(self._glands[pick // 8 % len(self._glands)], pick % 8)
            part = (
                slice(rows.start - top, rows.stop - top),
                slice(columns.start - left, columns.stop - left),
            )
            cover = np.ascontiguousarray(stamp.cover[part])
            below = np.ascontiguousarray(pixels[rows, columns])
            above = np.ascontiguousarray(stamp.pixels[part])
            pixels[rows, columns] = blended(above, below, cover)

    def _gland_places(self, x0: int, y0: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Centres (x, y in level-0 pixels) of glands near a block, and which stamp each is."""
        first = (np.array([x0, y0]) - REACH) // _PITCH - 1
        last = (np.array([x0, y0]) + BLOCK + REACH) // _PITCH + 1
        grid = np.mgrid[first[0] : last[0] + 1, first[1] : last[1] + 1].reshape(2, -1)
        i, j = grid[0], grid[1]
        dx, dy = hashed(i, j, self.seed + 51), hashed(i, j, self.seed + 52)
        # Rows are set off by half a pitch: crypts pack like bricks, not like a chessboard.
        x = (i + 0.5 + 0.5 * (j % 2) + 0.34 * (dx - 0.5)) * _PITCH
        y = (j + 0.5 + 0.34 * (dy - 0.5)) * _PITCH
        here = self.anatomy.at(x.astype(np.float32), y.astype(np.float32))
        kept = (here.mucosa > 0.5) & (here.lymphoid < 0.4) & (here.depth > 60)
        kept &= hashed(i, j, self.seed + 53) < 0.93
        picks = (hashed(i, j, self.seed + 54) * 4096).astype(np.int64)
        return np.stack([x, y], axis=1).astype(np.int64)[kept], picks[kept]


def _nodes(column: int, row: int) -> tuple[Field, Field]:
    """Level-0 positions of a block's coarse lattice, with a rim for the interpolation."""
    axis = (np.arange(-_RIM, BLOCK // _NODE + _RIM) + 0.5) * _NODE - 0.5
    x, y = np.meshgrid(axis + column * BLOCK, axis + row * BLOCK)
    return x.astype(np.float32), y.astype(np.float32)


def _spread(nodes: Field) -> Field:
    """From the coarse lattice to the block's pixels: [BLOCK, BLOCK]."""
    wide = cv2.resize(nodes, None, fx=_NODE, fy=_NODE, interpolation=cv2.INTER_LINEAR)
    rim = _RIM * _NODE
    return np.ascontiguousarray(wide[rim:-rim, rim:-rim], dtype=np.float32)


def _turn(gland: Gland, way: int) -> Gland:
    """One of the eight ways a square can lie."""
    pixels, cover = np.rot90(gland.pixels, way % 4), np.rot90(gland.cover, way % 4)
    return Gland(pixels[::-1], cover[::-1]) if way >= 4 else Gland(pixels, cover)


@lru_cache(maxsize=2)
def _library(
    seed: int,
) -> tuple[tuple[list[Pixels], list[Pixels]], Pixels, list[Gland], Field]:
    """All that depends on the seed alone: ground in two lays, glass, glands, the edge's fray."""
    stain = Stain.of_the_day(seed)
    plain = ground(seed, stain)
    # The second lay is mirrored and shifted, so that the eye finds no period in the weave.
    turned = [np.ascontiguousarray(np.roll(s[:, ::-1], (389, 617), (0, 1))) for s in plain]
    rng = np.random.default_rng((seed, 61))
    fray = 5 * wrapped(rng, PERIOD, (9, 9), 0.0) + 2.5 * wrapped(rng, PERIOD, (2.5, 2.5), 0.0)
    return (plain, turned), background(seed, stain), glands(seed, stain), fray.astype(np.float32)
