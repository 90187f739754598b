"""Huffman tables of a baseline JPEG as step tables: 16 bits of a scan give the way onwards.

A step is an int32: how many coefficients it holds, and above them how many bits. It covers as
many whole symbols as 16 bits show, so that most blocks take two or three.
Source: ITU-T T.81, F.1.2, F.2.2 and annex C.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from storage.errors import Damaged

WINDOW = 1 << 16
COUNT_BITS = 12
COUNT = (1 << COUNT_BITS) - 1
END_OF_BLOCK = 256
"""Added to the coefficients by the symbol that ends a block early."""
INVALID = 1024
"""Stands for a code that no table holds."""
MOST_DC_BITS = 11
"""Categories of DC differences in 8-bit baseline: 0 to 11."""
_ZERO_RUN, _END = 0xF0, 0x00

Steps = NDArray[np.int32]


@dataclass(frozen=True)
class HuffmanCodes:
    """One table: lengths and symbols by the next 16 bits, and codes by symbol."""

    lengths: NDArray[np.uint32]
    """[65536], 0 where no code begins so."""
    symbols: NDArray[np.uint32]
    code_of: dict[int, tuple[int, int]]
    """Symbol to (code, bits)."""


@lru_cache(maxsize=64)
def huffman_codes(table: bytes) -> HuffmanCodes:
    """From a DHT's 16 counts and its symbols. Errors: Damaged."""
    lengths, symbols = np.zeros(WINDOW, np.uint32), np.zeros(WINDOW, np.uint32)
    code_of, code, at = dict[int, tuple[int, int]](), 0, 16
    for bits, count in enumerate(table[:16], 1):
        for symbol in table[at : at + count]:
            first, after = code << (16 - bits), (code + 1) << (16 - bits)
            if after > WINDOW:
                raise Damaged("a Huffman table has more codes than there can be")
            lengths[first:after], symbols[first:after] = bits, symbol
            code_of[symbol] = code, bits
            code += 1
        at += count
        code <<= 1
    return HuffmanCodes(lengths, symbols, code_of)


@lru_cache(maxsize=64)
def step_tables(dc: bytes, ac: bytes) -> tuple[Steps, Steps]:
    """Steps of a component, [2 * 65536] each: from a block's begin, then from inside a block.

    The first goes as far as 16 bits allow, the second symbol by symbol.
    """
    one_dc, one_ac = _one_dc(huffman_codes(dc)), _one_ac(huffman_codes(ac))
    single = np.concatenate((one_dc, one_ac))
    return np.concatenate((_prolonged(one_dc, one_ac), _prolonged(one_ac, one_ac))), single


def _one_dc(codes: HuffmanCodes) -> Steps:
    known = (codes.lengths > 0) & (codes.symbols <= MOST_DC_BITS)
    return _steps(codes.lengths + codes.symbols, np.ones(WINDOW, np.uint32), known)


def _one_ac(codes: HuffmanCodes) -> Steps:
    run, size = codes.symbols >> 4, codes.symbols & 15
    ends = codes.symbols == _END
    known = (codes.lengths > 0) & ((size > 0) | ends | (codes.symbols == _ZERO_RUN))
    return _steps(codes.lengths + size, np.where(ends, END_OF_BLOCK, run + 1), known)


def _steps(
    advance: NDArray[np.uint32], count: NDArray[np.uint32], known: NDArray[np.bool_]
) -> Steps:
    steps = np.where(known, advance << COUNT_BITS | count, INVALID)
    return steps.astype(np.int32)


def _prolonged(first: Steps, then: Steps) -> Steps:
    """Each step followed by the symbols that the window shows whole."""
    steps, windows = first.copy(), np.arange(WINDOW)
    open_ = np.flatnonzero(_goes_on(steps))
    while open_.size:
        advance = steps[open_] >> COUNT_BITS
        following = then[(windows[open_] << advance) & (WINDOW - 1)]
        fits = (following & COUNT < INVALID) & (advance + (following >> COUNT_BITS) <= 16)
        open_, following = open_[fits], following[fits]
        steps[open_] += following
        open_ = open_[_goes_on(steps[open_])]
    return steps


def _goes_on(steps: Steps) -> NDArray[np.bool_]:
    return (steps & COUNT < END_OF_BLOCK) & (steps >> COUNT_BITS < 16)
