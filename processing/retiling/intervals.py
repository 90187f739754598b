"""Restart intervals taken apart: where each block lies, and what its DC coefficient is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from processing.retiling.codes import MOST_DC_BITS, huffman_codes
from processing.retiling.scan import Component, Scan
from processing.retiling.walk import Integers, Windows
from storage.errors import Damaged

_SPARE = 8
_FULL = ((1 << np.arange(256).clip(0, MOST_DC_BITS)) - 1).astype(np.int32)
_HALF = (_FULL + 1) >> 1
"""By size of a DC difference: how far negative ones are written upwards, and where from."""
Values = NDArray[np.int32]


class Intervals:
    """The blocks of some intervals, found but not decoded."""

    def __init__(self, scan: Scan, coded: Sequence[bytes], mcus: Integers) -> None:
        """`coded` without restart markers, `mcus` how many are wanted of each. Errors: Damaged."""
        plain = [each.replace(b"\xff\x00", b"\xff") for each in coded]
        for each, without in zip(coded, plain, strict=True):
            if without.count(b"\xff") != len(each) - len(without):
                raise Damaged("a restart interval holds a marker")
        self._data = b"".join(plain) + bytes(_SPARE)
        self._windows = _windows(self._data)
        self._blocks = sum(at.blocks for at in scan.components)
        lengths = np.array([len(each) for each in plain], np.int64)
        ends = np.cumsum(lengths)
        self._starts = scan.walker.block_starts(self._windows, (ends - lengths) * 8, mcus)
        last = self._starts[np.arange(len(plain)), mcus * self._blocks]
        if (last > ends * 8).any():
            raise Damaged("a restart interval ends before its last block")
        self._levels = [self._dc_levels(at) for at in scan.components]

    def _dc_levels(self, component: Component) -> Values:
        """DC coefficients of a component, [interval, block]."""
        count = len(self._starts)
        own = self._starts[:, :-1].reshape(count, -1, self._blocks)
        own = own[:, :, component.first : component.first + component.blocks]
        differences, _ = self._differences(component, own.reshape(count, -1))
        return differences.cumsum(axis=1, dtype=np.int32)

    def _differences(self, component: Component, starts: Integers) -> tuple[Values, Integers]:
        """DC differences of blocks, and the bits behind them."""
        codes = huffman_codes(component.dc)
        bits = self._windows.take(starts >> 3)
        bits <<= (starts & 7).astype(np.uint8)
        shown = bits >> np.uint8(16)
        sizes, lengths = codes.symbols.take(shown), codes.lengths.take(shown)
        bits <<= lengths
        values = (bits >> (32 - sizes)).astype(np.int32)
        values -= np.where(values < _HALF.take(sizes), _FULL.take(sizes), 0)
        return values, starts + lengths + sizes

    def first_blocks(
        self, component: Component, lanes: Integers, mcu: int
    ) -> tuple[Values, Integers]:
        """Of a component's first block in an MCU: its DC coefficient, and the bit behind it."""
        starts = self._starts[lanes, mcu * self._blocks + component.first]
        _, behind = self._differences(component, starts)
        return self._levels[component.number][lanes, mcu * component.blocks], behind

    def levels_before(self, component: Component, lanes: Integers, mcu: int) -> Values:
        """The DC coefficient that an MCU counts from."""
        levels: Values = self._levels[component.number][lanes, mcu * component.blocks - 1]
        return levels

    def ends(self, component: Component, lanes: Integers, mcu: int, after: int) -> Integers:
        """Where a component ends in an MCU; of the last component, where the MCU `after` begins."""
        block = component.first + component.blocks
        at = after * self._blocks if block == self._blocks else mcu * self._blocks + block
        ends: Integers = self._starts[lanes, at]
        return ends

    def run(self, start: int, end: int) -> int:
        """Bits from `start` to `end` as an integer."""
        whole = int.from_bytes(self._data[start >> 3 : (end + 7) >> 3], "big")
        return whole >> (-end & 7) & (1 << end - start) - 1


def _windows(data: bytes) -> Windows:
    """The 32 bits from each byte on, as native integers."""
    spread = np.ndarray((len(data) - 3,), ">u4", data, strides=(1,))
    return spread.astype(np.uint32)
