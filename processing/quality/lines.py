"""Straight lines from edge to edge of what a scanner takes at once: where, how long, how strong.

Checks of stitching and brightness sum what differs between neighbouring columns (and rows) over
one cell's height each; a fault shows as a value unlike those of the columns around, alike in cell
after cell. Frames: working pixels; `at` counts along the direction the line crosses, so that for
a vertical line it is x, of the pair (x, x + 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from processing.quality.check import CELL, Field
from storage.records.geometry import Size

Values = NDArray[np.float32]
WINDOW = 8
"""Cells along a line that are judged together: the shortest line that is looked for."""
_AROUND = 6
"""Columns on either side that a column is held against."""
_FAR = 20
"""Columns on either side from which it is learned how much columns differ by chance."""
_FIBRES = 0.25
"""As much less light changes along fibres than across them, in squares; of other tissue a half."""
_LEAST_CELLS = 5
_EDGE = 3
"""Pixels along the slide's edge in which no line is looked for: a scanner's coarser level may be
one short of half the finer one, and its last row is then white."""
_MOST_SURE = 4.0
"""A cell counts no more than this many times chance: the edge of one piece makes no line."""
_SHOWING = 0.7


@dataclass(frozen=True, slots=True)
class Line:
    """One line: where it crosses, between which cells it lies, and its size."""

    vertical: bool
    at: int
    first: int
    last: int
    """Cells along it, the last one included."""
    size: float


@dataclass(slots=True)
class Sums:
    """What a check adds up for one direction of lines: [cell along, pixel across]."""

    vertical: bool
    cells: int
    pixels: int
    top: Values = field(init=False)
    bottom: Values = field(init=False)

    def __post_init__(self) -> None:
        self.top = np.zeros((self.cells, self.pixels), np.float32)
        self.bottom = np.zeros((self.cells, self.pixels), np.float32)

    @classmethod
    def both(cls, size: Size) -> tuple[Sums, Sums]:
        """For vertical and horizontal lines on a working level of this size."""
        columns, rows = -(-size.width // CELL), -(-size.height // CELL)
        return cls(True, rows, size.width), cls(False, columns, size.height)

    def put(self, seen: Field, top: Values, bottom: Values) -> None:
        """Values of a field, [cell along, pair of pixels across], from its own first pixel."""
        along, across = (seen.y, seen.x) if self.vertical else (seen.x, seen.y)
        cell, width = along // CELL, min(top.shape[1], self.pixels - across)
        self.top[cell : cell + len(top), across : across + width] = top[:, :width]
        self.bottom[cell : cell + len(top), across : across + width] = bottom[:, :width]


@dataclass(frozen=True, slots=True)
class _Steps:
    """[cell along, pair across]: the step, that over two pairs, chance, and where it is known."""

    value: Values
    both: Values
    noise: Values
    usable: NDArray[np.bool_]


def grey_across(seen: Field, grey: Values, vertical: bool) -> tuple[Values, int]:
    """A field's own pixels as lines of [along, across], one more across; and cells along.

    Whole cells only: a remainder at the slide's edge is too short to judge.
    """
    turned = grey if vertical else grey.T
    left, top = (seen.left, seen.top) if vertical else (seen.top, seen.left)
    columns, rows = (seen.columns, seen.rows) if vertical else (seen.rows, seen.columns)
    cells = min(rows, (turned.shape[0] - top) // CELL)
    own = turned[top : top + cells * CELL, left : left + columns * CELL + 1]
    return np.ascontiguousarray(own), cells


def runs_along(along: Values, across: Values) -> NDArray[np.bool_]:
    """Where fibres lie along the line that is looked for, from squared gradients by cell and pair.

    Their streaks are lines of their own, cell after cell, and tell of no shift along themselves.
    """
    wide = (2 * _FAR + 1, 1)
    return np.asarray(cv2.blur(along, wide) < _FIBRES * cv2.blur(across, wide), bool)


def lines_in(sums: Sums, least: float, surely: float) -> list[Line]:
    """Lines of at least `least`, as sure as `surely` times what chance brings about."""
    if sums.pixels < 4 * _AROUND or not sums.bottom.any():
        return []
    steps = _steps(sums)
    found: list[Line] = []
    for first in range(0, sums.cells, WINDOW // 2):
        part = slice(first, min(first + WINDOW, sums.cells))
        found += _in_window(sums.vertical, steps, part, least, surely)
    if sums.cells > WINDOW:
        found += _in_window(sums.vertical, steps, slice(0, sums.cells), least, surely)
    return _merged(found)


def _steps(sums: Sums) -> _Steps:
    """Every cell's columns held against those around them, and how much these differ by chance."""
    known = (sums.bottom > 0).astype(np.float32)
    known[:, :_EDGE] = known[:, max(sums.pixels - 1 - _EDGE, 0) :] = 0
    value = np.where(known > 0, sums.top / np.where(known > 0, sums.bottom, 1), 0)
    value = value.astype(np.float32)
    near, beside = _box(known, _AROUND) - _box(known, 2), _box(known, _FAR) - _box(known, 2)
    base = (_box(value, _AROUND) - _box(value, 2)) / np.maximum(near, 1)
    value = (value - base) * known
    noise = 1.25 * (_box(np.abs(value), _FAR) - _box(np.abs(value), 2)) / np.maximum(beside, 1)
    usable = (known > 0) & (near >= _AROUND) & (noise > 0)
    # A fault between two working pixels is shared by two neighbouring pairs.
    both = np.zeros_like(value)
    both[:, :-1] = value[:, :-1] + value[:, 1:]
    return _Steps(value, both, np.maximum(noise, 1e-6), usable)


def _box(values: Values, reach: int) -> Values:
    """Sums over 2 * `reach` + 1 columns."""
    size = (2 * reach + 1, 1)
    return np.asarray(
        cv2.boxFilter(values, cv2.CV_32F, size, normalize=False, borderType=cv2.BORDER_CONSTANT)
    )


def _in_window(
    vertical: bool, steps: _Steps, part: slice, least: float, surely: float
) -> list[Line]:
    usable, noise = steps.usable[part], steps.noise[part]
    number = usable.sum(axis=0)
    weight = usable / noise**2
    total = np.maximum(weight.sum(axis=0), 1e-9)
    sure, size = np.zeros(len(number)), np.zeros(len(number))
    for value, wider in ((steps.value[part], 1.0), (steps.both[part], np.sqrt(2.0))):
        unlikely = np.clip(value / noise / wider, -_MOST_SURE, _MOST_SURE) * usable
        now = np.abs(unlikely.sum(axis=0)) / np.sqrt(np.maximum(number, 1))
        better = now > sure
        sure[better] = now[better]
        size[better] = (np.abs((value * weight).sum(axis=0)) / total)[better]
    sure[(number < _LEAST_CELLS) | (size < least)] = 0
    lines: list[Line] = []
    likely = np.flatnonzero(sure >= surely)
    for at in likely[np.argsort(-size[likely], kind="stable")].tolist():
        # What lies beside a line is held against it, and stands out for that alone.
        if any(abs(at - line.at) <= _AROUND + 2 for line in lines):
            continue
        cells = _showing(steps, part, at)
        if cells is not None:
            first, last = part.start + cells[0], part.start + cells[1]
            lines.append(Line(vertical, at, first, last, float(size[at])))
    return lines


def _showing(steps: _Steps, part: slice, at: int) -> tuple[int, int] | None:
    """First and last cell in which the line shows; None when too few of them show it."""
    usable = steps.usable[part, at]
    value = (steps.both[part, at] / steps.noise[part, at])[usable]
    shows = value * np.sign(value.sum()) > 0.5
    if shows.sum() < max(_LEAST_CELLS, _SHOWING * usable.sum()):
        return None
    cells = np.flatnonzero(usable)[shows]
    return int(cells[0]), int(cells[-1])


def _merged(lines: list[Line]) -> list[Line]:
    """One line for what lies end to end, or was found in a part and in the whole."""
    out: list[Line] = []
    for line in sorted(lines, key=lambda at: (at.at, at.first)):
        for index, kept in enumerate(out):
            near = abs(line.at - kept.at) <= _AROUND + 2
            if near and line.first <= kept.last + 2 and kept.first <= line.last + 2:
                larger = max(line, kept, key=lambda at: at.size)
                out[index] = Line(
                    line.vertical, larger.at, min(line.first, kept.first),
                    max(line.last, kept.last), larger.size,
                )  # fmt: skip
                break
        else:
            out.append(line)
    return out
