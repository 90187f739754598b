"""Many annotations put together: alike ones in a group, neighbours in a block, as they come in.

Takes them one at a time and keeps columns, so that a hundred thousand cost some tens of megabytes.
"""

from __future__ import annotations

import uuid
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np

from storage.annotations_codec import Block
from storage.records.annotation import (
    Annotation,
    AnnotationGroup,
    Content,
    Geometry,
    Kind,
    Measurement,
    Origin,
)

BLOCK: Final = 500
_MOST_GROUPS: Final = 200


class Likeness(NamedTuple):
    """What the members of a group have in common."""

    kind: Kind
    label: str
    colour: str
    group: str
    origin: Origin


@dataclass(slots=True)
class _Columns:
    ids: bytearray = field(default_factory=bytearray)
    parts: array[int] = field(default_factory=lambda: array("I"))
    rings: array[int] = field(default_factory=lambda: array("I"))
    lengths: array[int] = field(default_factory=lambda: array("I"))
    points: array[float] = field(default_factory=lambda: array("d"))
    measured: dict[str, array[float]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)
    rest: dict[int, dict[str, Any]] = field(default_factory=dict)
    author: str = ""
    drawn_at: datetime | None = None


class Gathering:
    """Takes annotations one by one; then gives groups with their blocks."""

    def __init__(self) -> None:
        self._groups: dict[Likeness, _Columns] = {}
        self.count = 0

    def add(self, at: Annotation) -> None:
        """One more."""
        content = at.content
        like = Likeness(
            content.geometry.kind, content.label, content.colour, content.group, at.origin
        )
        rest = dict[str, Any]()
        if like not in self._groups and len(self._groups) >= _MOST_GROUPS:
            rest = {"label": content.label, "colour": content.colour, "group": content.group}
            like = Likeness(content.geometry.kind, "", "", "", at.origin)
        into = self._groups.setdefault(like, _Columns())
        _add_shape(into, content.geometry)
        place = len(into.parts) - 1
        into.ids += uuid.UUID(at.annotation_id).bytes
        rest |= _add_words(into, at) | _add_measurements(into, content.measurements, place)
        if rest:
            into.rest[place] = rest
        self.count += 1

    def groups(self) -> Iterator[tuple[Likeness, str, datetime, Block]]:
        """What is alike, its author, when it was drawn, and all of it as one block."""
        for like, at in self._groups.items():
            assert at.drawn_at is not None  # noqa: S101 - one that is empty is never made
            yield like, at.author, at.drawn_at, _block(at)


def neighbours(block: Block) -> Iterator[Block]:
    """The block cut into smaller ones, each of annotations that lie side by side."""
    middles = block.middles
    waiting = [np.arange(block.count)]
    while waiting:
        some = waiting.pop()
        if len(some) <= BLOCK:
            yield block.taken(some)
            continue
        # In two halves across its longer side, as often as it takes: boxes stay compact.
        axis = int(np.argmax(np.ptp(middles[some], axis=0)))
        half = len(some) // 2
        order = np.argpartition(middles[some, axis], half)
        waiting += [some[order[half:]], some[order[:half]]]


def annotations_in(group: AnnotationGroup, block: Block) -> Iterator[Annotation]:
    """The members of a block as annotations; of a large one some at a time."""
    if block.count > BLOCK:
        for start in range(0, block.count, BLOCK):
            some = np.arange(start, min(start + BLOCK, block.count))
            yield from annotations_in(group, block.taken(some))
        return
    ids, points = block.ids, block.points.tolist()
    lengths, rings = iter(block.lengths.tolist()), iter(block.rings.tolist())
    columns = [(name, values.tolist()) for name, values in block.measured.items()]
    begin = 0
    for place, count in enumerate(block.parts.tolist()):
        parts = []
        for _ in range(count):
            part = []
            for _ in range(next(rings)):
                end = begin + next(lengths)
                part.append(tuple([(x, y) for x, y in points[begin:end]]))
                begin = end
            parts.append(tuple(part))
        rest = block.rest.get(place, {})
        measured = tuple(
            Measurement(name, values[place], block.units.get(name, ""))
            for name, values in columns
            if values[place] == values[place]
        )
        yield _annotation(
            group,
            ids[16 * place : 16 * place + 16],
            Geometry(group.kind, tuple(parts)),
            measured,
            rest,
        )


def _annotation(
    group: AnnotationGroup,
    identity: bytes,
    geometry: Geometry,
    measured: tuple[Measurement, ...],
    rest: Mapping[str, Any],
) -> Annotation:
    content = Content(
        geometry=geometry,
        label=rest.get("label", group.label),
        colour=rest.get("colour", group.colour),
        text=rest.get("text", ""),
        measurements=_in_order(measured, rest),
        group=rest.get("group", group.group),
        locked=rest.get("locked", False),
        foreign=rest.get("foreign", ""),
    )
    drawn_at = datetime.fromisoformat(rest["drawn_at"]) if "drawn_at" in rest else group.drawn_at
    author = rest.get("author", group.author)
    return Annotation(identity.hex(), content, author, drawn_at, group.origin)


def _add_shape(into: _Columns, geometry: Geometry) -> None:
    into.parts.append(len(geometry.parts))
    for part in geometry.parts:
        into.rings.append(len(part))
        for ring in part:
            into.lengths.append(len(ring))
            for x, y in ring:
                into.points.append(x)
                into.points.append(y)


def _add_words(into: _Columns, at: Annotation) -> dict[str, Any]:
    """What this one says beside what is alike."""
    if into.drawn_at is None:
        into.author, into.drawn_at = at.author, at.drawn_at
    rest = dict[str, Any]()
    content = at.content
    if content.text:
        rest["text"] = content.text
    if content.locked:
        rest["locked"] = True
    if content.foreign:
        rest["foreign"] = content.foreign
    if at.author != into.author:
        rest["author"] = at.author
    if at.drawn_at != into.drawn_at:
        rest["drawn_at"] = at.drawn_at.isoformat()
    return rest


def _add_measurements(
    into: _Columns, measured: tuple[Measurement, ...], place: int
) -> dict[str, Any]:
    """Into their columns; the names in their order where that is not the columns'."""
    odd = dict[str, str]()
    for at in measured:
        column = into.measured.get(at.name)
        if column is None:
            column = into.measured[at.name] = array("d", [np.nan]) * place
            into.units[at.name] = at.unit
        if into.units[at.name] != at.unit:
            odd[at.name] = at.unit
        column.append(at.value)
    for column in into.measured.values():
        if len(column) == place:
            column.append(np.nan)
    names = [at.name for at in measured]
    rest: dict[str, Any] = {"units": odd} if odd else {}
    if names != [name for name in into.measured if name in set(names)]:
        rest["order"] = names
    return rest


def _in_order(
    measured: tuple[Measurement, ...], rest: Mapping[str, Any]
) -> tuple[Measurement, ...]:
    if "units" in rest:
        units = rest["units"]
        measured = tuple(Measurement(m.name, m.value, units.get(m.name, m.unit)) for m in measured)
    if "order" in rest:
        by_name = {at.name: at for at in measured}
        measured = tuple(by_name[name] for name in rest["order"])
    return measured


def _block(at: _Columns) -> Block:
    return Block(
        ids=bytes(at.ids),
        parts=np.frombuffer(at.parts, np.uint32),
        rings=np.frombuffer(at.rings, np.uint32),
        lengths=np.frombuffer(at.lengths, np.uint32),
        points=np.frombuffer(at.points, np.float64).reshape(-1, 2),
        measured={name: np.frombuffer(values, np.float64) for name, values in at.measured.items()},
        units=dict(at.units),
        rest=at.rest,
    )
