"""The elements of a dataset, one after the other, without trust and without recursion.

It reads as pydicom does where files bend the rules (implicit items inside explicit files, unknown
VRs), so that what passes here is what pydicom will meet. Source: PS3.5 6.2.2 (UN of undefined
length), 7.1-7.5, A.4.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

from processing.dicom.short_copy import UNDEFINED, Broken, ShortCopy, Walked
from processing.dicom.vr import LONG, Shape, vr_of

DEEPEST = 64
MOST_ELEMENTS = 10_000_000
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_PIXELS = 0x7FE00010
_OTHER_PIXELS = frozenset({0x7FE00008, 0x7FE00009})
"""Float and double float: never in fragments."""
_OFFSETS = frozenset({0x7FE00001, 0x7FE00002})
_FRAGMENTED = frozenset({b"OB", b"OW", b"UN"})

Bytes = mmap.mmap | bytes


@dataclass(frozen=True, slots=True)
class Encoding:
    """What the transfer syntax says."""

    implicit: bool
    little: bool
    encapsulated: bool


def walk(data: Bytes, start: int, encoding: Encoding) -> Walked:
    """Walk the dataset that fills `data` from `start` on. Errors: Broken."""
    return _Walker(data, start, encoding).run()


@dataclass(slots=True)
class _Level:
    """A dataset, a sequence or an item of one that is being walked."""

    limit: int
    """Nothing of it may lie beyond."""
    end: int | None
    """Where it ends; None: at its delimiter."""
    implicit: bool
    is_sequence: bool


class _Walker:
    def __init__(self, data: Bytes, start: int, encoding: Encoding) -> None:
        self.data, self.at, self.size = data, start, len(data)
        self.encoding, order = encoding, "<" if encoding.little else ">"
        self.tag_at = struct.Struct(f"{order}HH").unpack_from
        self.word_at = struct.Struct(f"{order}I").unpack_from
        self.half_at = struct.Struct(f"{order}H").unpack_from
        self.levels = [_Level(self.size, self.size, encoding.implicit, is_sequence=False)]
        self.found, self.shape = Walked(), Shape(encoding.little)
        self.copy = ShortCopy(self.found, little=encoding.little)
        self.seen, self.last = set[int](), -1
        self.count = 0

    def run(self) -> Walked:
        if self.at + 8 <= self.size and self._looks_explicit() is self.encoding.implicit:
            raise Broken("damaged")  # pydicom would go by the looks, not by the transfer syntax
        while self.levels:
            level = self.levels[-1]
            if level.end is not None and self.at >= level.end:
                self._leave(level)
            elif level.is_sequence:
                self._item(level)
            else:
                self._element(level)
        return self.found

    def _element(self, level: _Level) -> None:
        if self.at + 8 > level.limit:
            self._padding(level)
            return
        group, element = self.tag_at(self.data, self.at)
        tag = group << 16 | element
        if group == 0xFFFE:
            self._end_of_item(level, tag)
            return
        if group < 8:  # commands, file meta, directories: no dataset's
            self._padding(level)
            return
        self._count(tag)
        vr, head, length = self._head(level, tag)
        start = self.at + head
        if length == UNDEFINED:
            self._undefined(level, tag, vr, start)
            return
        self._within(level, start + length)
        if vr == b"SQ":
            self._begin(level, tag, start, start + length)
            return
        self._value(tag, vr, start, length)
        self.at = start + length

    def _head(self, level: _Level, tag: int) -> tuple[bytes, int, int]:
        """VR, length of the head, length of the value."""
        vr = self.data[self.at + 4 : self.at + 6]
        if level.implicit or not b"AA" <= vr <= b"ZZ":
            return vr_of(tag, self.shape), 8, self.word_at(self.data, self.at + 4)[0]
        if vr in LONG:
            self._within(level, self.at + 12)
            return vr, 12, self.word_at(self.data, self.at + 8)[0]
        return vr, 8, self.half_at(self.data, self.at + 6)[0]

    def _value(self, tag: int, vr: bytes, start: int, length: int) -> None:
        """A value of defined length: copied, or cut where it is large."""
        if tag == _PIXELS or tag in _OTHER_PIXELS:
            if len(self.levels) == 1 and length:
                if self.encoding.encapsulated and tag == _PIXELS:
                    raise Broken("damaged")
                self.found.pixels_at = self.at
        elif tag not in _OFFSETS and tag & 0xFFFF:
            if self.copy.keeps(vr, length):
                value = self.data[start : start + length]
                self.shape.note(tag, value)
                self.copy.value(tag, vr, value)
            else:
                self.copy.cut(tag, vr)

    def _undefined(self, level: _Level, tag: int, vr: bytes, start: int) -> None:
        """A value that ends at a delimiter: a sequence, or fragments."""
        if vr in _FRAGMENTED and tag == _PIXELS:
            if len(self.levels) == 1:
                if not self.encoding.encapsulated:
                    raise Broken("damaged")
                self.found.pixels_at = self.at
            self._fragments(level, start)
        elif vr in (b"SQ", b"UN"):
            self._begin(level, tag, start, None)
        elif vr in (b"OB", b"OW"):
            self._fragments(level, start)
            self.copy.cut(tag, vr)
        else:
            raise Broken("damaged")

    def _fragments(self, level: _Level, start: int) -> None:
        """Items of bytes up to the delimiter."""
        self.at = start
        while True:
            tag, length = self._item_head(level)
            if tag == _SEQUENCE_END:
                return
            if tag != _ITEM or length == UNDEFINED:
                raise Broken("damaged")
            self._within(level, self.at + length)
            self.at += length
            self._tally()

    def _begin(self, level: _Level, tag: int, start: int, end: int | None) -> None:
        """A sequence begins."""
        if len(self.levels) >= 2 * DEEPEST:
            raise Broken("too_deep")
        self.at = start
        limit = level.limit if end is None else end
        self.levels.append(_Level(limit, end, level.implicit, is_sequence=True))
        self.copy.begin_sequence(tag)

    def _item(self, level: _Level) -> None:
        """An item of a sequence begins, or the sequence ends."""
        tag, length = self._item_head(level)
        if tag == _SEQUENCE_END and level.end is None:
            self._leave(level)
            return
        if tag != _ITEM:
            raise Broken("damaged")
        end = None if length == UNDEFINED else self.at + length
        self._within(level, end or self.at)
        self._tally()
        implicit = level.implicit or not self._looks_explicit()
        limit = level.limit if end is None else end
        self.levels.append(_Level(limit, end, implicit, is_sequence=False))
        self.copy.begin_item()

    def _end_of_item(self, level: _Level, tag: int) -> None:
        """A delimiter among elements: right only at the end of an item of undefined length."""
        if tag != _ITEM_END or level.end is not None:
            raise Broken("damaged")
        self.at += 8
        self._leave(level)

    def _leave(self, level: _Level) -> None:
        """A dataset, sequence or item is over."""
        self.levels.pop()
        if level.is_sequence:
            self.copy.end_sequence()
        elif self.levels:
            self.copy.end_item()

    def _padding(self, level: _Level) -> None:
        """Zeros after the last element are passed over; anything else there is no element."""
        cut_off = self.at + 8 > level.limit == self.size
        rest = self.size - self.at
        if len(self.levels) > 1 or rest > 2**16 or any(self.data[self.at : self.size]):
            raise Broken("truncated" if cut_off else "damaged")
        self.at = self.size

    def _item_head(self, level: _Level) -> tuple[int, int]:
        self._within(level, self.at + 8)
        group, element = self.tag_at(self.data, self.at)
        (length,) = self.word_at(self.data, self.at + 4)
        self.at += 8
        return group << 16 | element, length

    def _within(self, level: _Level, end: int) -> None:
        """What is promised has to be there."""
        if end > level.limit:
            raise Broken("truncated" if end > self.size else "damaged")

    def _count(self, tag: int) -> None:
        """Bounded in number; in the dataset itself no tag twice: readers would differ in which."""
        self._tally()
        if len(self.levels) > 1:
            return
        if tag <= self.last and tag in self.seen:
            raise Broken("damaged")
        self.last = tag
        self.seen.add(tag)

    def _tally(self) -> None:
        self.count += 1
        if self.count > MOST_ELEMENTS:
            raise Broken("too_large")

    def _looks_explicit(self) -> bool:
        vr = self.data[self.at + 4 : self.at + 6]
        return len(vr) == 2 and 0x40 < vr[0] < 0x5B and 0x40 < vr[1] < 0x5B
