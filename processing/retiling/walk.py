"""Where the blocks of a JPEG scan begin, for many restart intervals side by side.

Every interval is a lane; one pass of the loop moves all lanes on by a step, so that NumPy does
in C what Python could not do block by block. No coefficient is kept, none is transformed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from processing.retiling.codes import COUNT, COUNT_BITS, END_OF_BLOCK, WINDOW, Steps
from storage.errors import Damaged

Integers = NDArray[np.int64]
Windows = NDArray[np.uint32]
"""The 32 bits from each byte of a scan on."""

_WHOLE = 64
_BEYOND = COUNT & -_WHOLE
_INSIDE = WINDOW
"""Added to the place of a block's table once the block has begun."""
_BETWEEN_CLEARINGS = 64
_WRONG = np.ones(COUNT + 1, np.bool_)
_WRONG[: _WHOLE + 1] = False
_WRONG[END_OF_BLOCK : END_OF_BLOCK + _WHOLE] = False
"""Counts after a step that cannot be: beyond the 64 of a block, or no code at all."""


@dataclass
class _Lanes:
    """Where every lane stands."""

    place: Integers
    """Of its present block in the flat result."""
    end: Integers
    state: Integers
    """Its position in bits, above the coefficients of the present block."""
    table: Integers
    """Where its step table begins."""

    def clear(self) -> None:
        """Let go of finished lanes when they are many."""
        alive = np.flatnonzero(self.place < self.end)
        if alive.size <= self.place.size * 7 // 8:
            for each in fields(self):
                setattr(self, each.name, getattr(self, each.name)[alive])


class Walker:
    """Step tables of a scan: for each block of an MCU, which tables it is coded with."""

    def __init__(self, blocks: Sequence[tuple[Steps, Steps]]) -> None:
        kinds = list({id(far): (far, single) for far, single in blocks}.values())
        still = np.zeros(2 * WINDOW, np.int32)
        self._far = np.concatenate([far for far, _ in kinds] + [still])
        self._single = np.concatenate([single for _, single in kinds] + [still])
        self._still = len(kinds) * 2 * WINDOW
        places = {id(far): number * 2 * WINDOW for number, (far, _) in enumerate(kinds)}
        self._of_block = np.array([places[id(far)] for far, _ in blocks], np.int64)

    def block_starts(self, windows: Windows, starts: Integers, mcus: Integers) -> Integers:
        """Bit position of every block of every lane, and of the end: [lane, most blocks + 1].

        `starts` are the lanes' first bits, `mcus` how many MCUs are wanted of each; the
        windows have a spare one at their end. Errors: Damaged.
        """
        blocks = len(self._of_block)
        wanted = mcus * blocks
        width = int(wanted.max(initial=0)) + 1
        found = np.zeros((len(starts), width), np.int64)
        found[:, 0] = starts
        tables = np.tile(self._of_block[np.arange(width) % blocks], len(starts))
        begin = np.arange(len(starts)) * width
        tables[begin + wanted] = self._still
        lanes = _Lanes(begin, begin + wanted, starts << COUNT_BITS, tables[begin])
        lanes.clear()
        while lanes.place.size:
            self._go(windows, lanes, tables, found.reshape(-1))
            lanes.clear()
        return found

    def _go(self, windows: Windows, lanes: _Lanes, tables: Integers, found: Integers) -> None:
        """Move all lanes on, each from table to table as `tables` says for its places."""
        state, table, far = lanes.state, lanes.table, self._far
        at, bits = np.empty_like(state), np.empty(state.size, np.uint32)
        shift, step = np.empty_like(bits), np.empty(state.size, np.int32)
        for _ in range(_BETWEEN_CLEARINGS):
            # The same as _next, into arrays that are there: half the time.
            np.right_shift(state, COUNT_BITS + 3, out=at)
            windows.take(at, out=bits, mode="clip")
            np.right_shift(state, COUNT_BITS, out=at)
            np.bitwise_and(at, 7, out=shift, casting="unsafe")
            np.left_shift(bits, shift, out=bits)
            np.right_shift(bits, 16, out=bits)
            np.add(bits, table, out=at)
            far.take(at, out=step, mode="clip")
            np.add(state, step, out=state)
            np.bitwise_or(table, _INSIDE, out=table)
            np.bitwise_and(state, _BEYOND, out=at)
            whole = at.nonzero()[0]
            if whole.size:
                ended = state[whole]
                count = ended & COUNT
                if _WRONG[count].any():
                    whole = self._step_back(windows, lanes, whole, step)
                    ended = state[whole]
                    count = ended & COUNT
                following = lanes.place[whole] + 1
                found[following] = ended >> COUNT_BITS
                lanes.place[whole], state[whole] = following, ended - count
                table[whole] = tables[following]

    def _step_back(self, windows: Windows, lanes: _Lanes, whole: Integers, step: Steps) -> Integers:
        """Steps over a block's end again, one symbol each; which blocks are then whole."""
        state = lanes.state
        wrong = whole[_WRONG[state[whole] & COUNT]]
        state[wrong] -= step[wrong]
        begun = (state[wrong] & COUNT) > 0
        table = (lanes.table[wrong] & ~_INSIDE) + begun * _INSIDE
        byte, bit = state[wrong] >> COUNT_BITS + 3, (state[wrong] >> COUNT_BITS) & 7
        shown = windows.take(byte, mode="clip") << bit.astype(np.uint32) >> 16
        state[wrong] += self._single[shown + table]
        if _WRONG[state[wrong] & COUNT].any():
            raise Damaged("a JPEG scan holds a code that its tables do not")
        return whole[(state[whole] & COUNT) >= _WHOLE]
