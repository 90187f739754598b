"""Areas as masks and masks as areas, exactly: a mask's outline gives that very mask again.

A pixel belongs to an area when its middle does. Outlines run along the edges of pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from storage.records.annotation import Part, Ring

Mask = NDArray[np.bool_]
Whole = NDArray[np.int64]


def fill(mask: Mask, rings: Iterable[NDArray[np.float64]]) -> None:
    """Set the pixels of one part: outline and holes as [point, (x, y)] in pixels of the mask."""
    closed = [np.vstack([ring, ring[:1]]) for ring in rings]
    edges = np.concatenate([np.hstack([ring[:-1], ring[1:]]) for ring in closed])
    rows, columns = mask.shape
    low = edges.reshape(-1, 2).min(axis=0)
    high = edges.reshape(-1, 2).max(axis=0)
    left, top = (max(int(np.floor(at)), 0) for at in low)
    right, bottom = min(int(np.ceil(high[0])), columns), min(int(np.ceil(high[1])), rows)
    if right <= left or bottom <= top:
        return
    at, places = _crossings(edges, top, bottom)
    begins = np.clip(np.ceil(places - 0.5).astype(np.int64) - left, 0, right - left)
    turns = np.zeros((bottom - top, right - left + 1), np.int32)
    np.add.at(turns, (at - top, begins), 1)
    mask[top:bottom, left:right] |= (np.cumsum(turns, axis=1)[:, :-1] % 2).astype(bool)


def _crossings(
    edges: NDArray[np.float64], top: int, bottom: int
) -> tuple[Whole, NDArray[np.float64]]:
    """Where edges cross the middles of the rows from `top` on: the row, and the place along it."""
    # All edges downwards, so that one gone along twice crosses in the very same places.
    up = edges[:, 1] > edges[:, 3]
    x0, y0, x1, y1 = np.where(up[:, None], edges[:, [2, 3, 0, 1]], edges).T
    first = np.clip(np.ceil(y0 - 0.5), top, bottom).astype(np.int64)
    after = np.clip(np.ceil(y1 - 0.5), top, bottom).astype(np.int64)
    counts = after - first
    edge = np.repeat(np.arange(len(edges)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    row = first[edge] + within
    share = (row + 0.5 - y0[edge]) / (y1 - y0)[edge]
    return row, x0[edge] + share * (x1 - x0)[edge]


def areas(mask: Mask) -> Iterator[Part]:
    """The areas of a mask, each with its holes, in pixels of the mask: corners along pixel edges.

    Pixels that touch at a corner alone are two areas.
    """
    if not mask.any():
        return
    # A frame of nothing around it: every outline is whole, and indices need no care.
    framed = np.pad(mask, 1)
    _, named = cv2.connectedComponents(framed.astype(np.uint8), connectivity=4)
    runs = _Runs(framed)
    found: dict[int, list[Ring]] = {}
    holes: dict[int, list[Ring]] = {}
    for ring, pixel in runs.loops():
        into = found if _turns_right(ring) else holes
        into.setdefault(int(named[pixel]), []).append(ring)
    for name, outer in sorted(found.items()):
        yield (outer[0], *holes.get(name, []))


class _Runs:
    """Straight runs of a mask's outline, from corner to corner, the inside to the right."""

    def __init__(self, framed: Mask) -> None:
        whole = framed.astype(np.int8)
        self._mask = framed
        self._across = _straight(np.diff(whole, axis=0))
        line, begin, end, step = _straight(-np.diff(whole.T, axis=0))
        self._down = line, begin, end, step
        rows = framed.shape[0]
        self._stride = rows + 1

    def loops(self) -> Iterator[tuple[Ring, tuple[int, int]]]:
        """Each outline as corners, with a pixel that lies inside along it (row, column)."""
        row, left, right, step = self._across
        start, stop = np.where(step > 0, left, right), np.where(step > 0, right, left)
        column, top, bottom, way = self._down
        below, above = np.where(way > 0, top, bottom), np.where(way > 0, bottom, top)
        inside = np.where(step > 0, row + 1, row)
        to_down = _matched(
            self._key(row, stop, inside), self._key(below, column, self._row_inside(below, way))
        )
        to_across = _matched(
            self._key(above, column, self._row_before(above, way)), self._key(row, start, inside)
        )
        after = to_across[to_down].tolist()
        xs, ys, turns = start.tolist(), row.tolist(), stop.tolist()
        rows, firsts = inside.tolist(), np.minimum(start, stop).tolist()
        seen = bytearray(len(after))
        for first in range(len(after)):
            if seen[first]:
                continue
            at, corners = first, list[tuple[float, float]]()
            while not seen[at]:
                seen[at] = 1
                corners += ((float(xs[at]), float(ys[at])), (float(turns[at]), float(ys[at])))
                at = after[at]
            yield tuple(corners), (rows[first], firsts[first] + 1)

    def _key(self, row: Whole, column: Whole, inside: Whole) -> Whole:
        """A number for each corner; where two areas touch in it, for each of the two."""
        mask = self._mask
        a, b = mask[row, column], mask[row, column + 1]
        c, d = mask[row + 1, column], mask[row + 1, column + 1]
        touch = (a == d) & (b == c) & (a != b)
        upper = inside <= row
        found: Whole = 2 * (row * (mask.shape[1] + 1) + column) + (touch & upper)
        return found

    @staticmethod
    def _row_inside(row: Whole, way: Whole) -> Whole:
        """Of the pixel beside the beginning of a run down (or up)."""
        return np.where(way > 0, row + 1, row)

    @staticmethod
    def _row_before(row: Whole, way: Whole) -> Whole:
        """Of the pixel beside its end."""
        return np.where(way > 0, row, row + 1)


def _straight(steps: NDArray[Any]) -> tuple[Whole, Whole, Whole, Whole]:
    """Runs of the same step along each line: line, begin, end, and the step."""
    edge = np.zeros((steps.shape[0], 1), steps.dtype)
    wide = np.hstack([edge, steps, edge])
    changes = wide[:, 1:] != wide[:, :-1]
    line, begin = np.nonzero(changes & (wide[:, 1:] != 0))
    _, end = np.nonzero(changes & (wide[:, :-1] != 0))
    return line, begin - 1, end - 1, steps[line, begin].astype(np.int64)


def _matched(keys: Whole, among: Whole) -> Whole:
    """For each key its place among the others, which are the same numbers in another order."""
    order = np.argsort(among)
    found: Whole = order[np.searchsorted(among[order], keys)]
    return found


def _turns_right(ring: Ring) -> bool:
    """An outline has its inside to the right; the outline of a hole goes round the other way."""
    twice, before = 0.0, ring[-1]
    for x, y in ring:
        twice += before[0] * y - x * before[1]
        before = x, y
    return twice > 0
