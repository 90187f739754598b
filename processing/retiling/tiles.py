"""Square tiles out of restart intervals, coefficient by coefficient the same.

A row of MCUs becomes a restart interval of the tile. Its bits are copied; only the DC
differences of its first MCU are coded anew, since they count from another neighbour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from processing.retiling.intervals import Intervals, Values
from processing.retiling.scan import MOST_DC, Bits, Component, Scan
from processing.retiling.walk import Integers
from storage.errors import Damaged

_RESTARTS = tuple(bytes((0xFF, 0xD0 + number)) for number in range(8))
_END_OF_IMAGE = b"\xff\xd9"
_WHITE = 127 * 8
"""DC coefficient of a white block before quantisation: 8 times the grey level less 128."""
_NOTHING: Bits = (0, 0)


@dataclass(frozen=True, slots=True)
class Cut:
    """The MCUs `first` to `after` of an interval; `interval` counts from the left."""

    interval: int
    first: int
    after: int


def tile_rows(
    scan: Scan, intervals: Intervals, lanes: Integers, cuts: Sequence[Cut], missing: int
) -> list[bytes]:
    """Coded rows of one column of tiles: `cuts` joined, then `missing` MCUs like the last one.

    `lanes` are the first intervals of each row of MCUs. Errors: Damaged.
    """
    rows: list[Bits] = [_NOTHING] * len(lanes)
    levels = [np.zeros(len(lanes), np.int32) for _ in scan.components]
    for cut in cuts:
        own = lanes + cut.interval
        for at, level in zip(scan.components, levels, strict=True):
            _append(rows, intervals, at, own, cut, level)
        levels = [intervals.levels_before(at, own, cut.after) for at in scan.components]
    tail = _repeated(_flat_mcu(scan), missing)
    return [_whole_bytes(_chained(row, tail)) for row in rows]


def _append(
    rows: list[Bits],
    intervals: Intervals,
    component: Component,
    lanes: Integers,
    cut: Cut,
    level: Values,
) -> None:
    """A component's part of the first MCU; with the last component all that follows."""
    dc, starts = intervals.first_blocks(component, lanes, cut.first)
    differences = dc - level + MOST_DC
    if (differences < 0).any() or (differences > 2 * MOST_DC).any():
        raise Damaged("a JPEG scan holds a grey level that cannot be")
    ends = intervals.ends(component, lanes, cut.first, cut.after)
    codes, run = component.differences, intervals.run
    places = zip(differences.tolist(), starts.tolist(), ends.tolist(), strict=True)
    for number, (difference, start, end) in enumerate(places):
        (value, size), (code, bits) = rows[number], codes[difference]
        value = (value << bits | code) << end - start | run(start, end)
        rows[number] = value, size + bits + end - start


def white_row(scan: Scan, mcus: int, rgb: bool) -> bytes:
    """A coded row where there is nothing."""
    first = _NOTHING
    for at in scan.components:
        white = _WHITE // at.step if rgb or at.number == 0 else 0
        first = _chained(first, at.flat(min(white, MOST_DC)), _repeated(at.flat(0), at.blocks - 1))
    return _whole_bytes(_chained(first, _repeated(_flat_mcu(scan), mcus - 1)))


def joined(intervals: Sequence[bytes]) -> bytes:
    """Restart intervals with markers between them, and the end of the image."""
    parts = [part for at, each in enumerate(intervals) for part in (each, restart(at))]
    return b"".join((*parts[:-1], _END_OF_IMAGE))


def restart(number: int) -> bytes:
    """The marker behind an interval."""
    return _RESTARTS[number % len(_RESTARTS)]


def _flat_mcu(scan: Scan) -> Bits:
    """An MCU whose blocks go on with the grey level before them."""
    return _chained(_NOTHING, *(_repeated(at.flat(0), at.blocks) for at in scan.components))


def _chained(first: Bits, *others: Bits) -> Bits:
    value, size = first
    for more, bits in others:
        value, size = value << bits | more, size + bits
    return value, size


def _repeated(bits: Bits, times: int) -> Bits:
    return _chained(_NOTHING, *[bits] * times)


def _whole_bytes(bits: Bits) -> bytes:
    """Filled up with ones, and with a zero byte behind every byte that looks like a marker."""
    value, size = bits
    spare = -size & 7
    data = (value << spare | (1 << spare) - 1).to_bytes((size + spare) >> 3, "big")
    return data.replace(b"\xff", b"\xff\x00")
