"""Annotations of every kind for property tests, and a few by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from storage.records.annotation import (
    FAR,
    Annotation,
    Content,
    Geometry,
    Kind,
    Measurement,
    Origin,
    OriginKind,
    problem,
    tidy,
)

AT = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)

numbers = st.one_of(
    st.floats(-FAR, FAR, allow_subnormal=False),
    st.floats(0, 200_000).map(lambda value: round(value, 2)),
    st.integers(0, 200_000).map(float),
).map(lambda value: value + 0.0)
points = st.tuples(numbers, numbers)
words = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=40)
names = words.filter(bool)


def rings(least: int, most: int) -> st.SearchStrategy[tuple[tuple[float, float], ...]]:
    return st.lists(points, min_size=least, max_size=most).map(tuple)


def _shape(kind: Kind) -> st.SearchStrategy[Geometry]:
    single = {
        Kind.POINT: rings(1, 1), Kind.TEXT: rings(1, 1), Kind.MULTIPOINT: rings(1, 5),
        Kind.RECTANGLE: rings(4, 4), Kind.ELLIPSE: rings(4, 4),
    }  # fmt: skip
    if kind in single:
        parts = single[kind].map(lambda ring: ((ring,),))
    elif kind is Kind.POLYLINE:
        parts = st.lists(rings(2, 6).map(lambda ring: (ring,)), min_size=1, max_size=3).map(tuple)
    else:
        area = st.lists(rings(3, 8), min_size=1, max_size=3).map(tuple)
        parts = st.lists(area, min_size=1, max_size=3).map(tuple)
    return parts.map(lambda at: tidy(Geometry(kind, at))).filter(lambda at: not problem(at))


geometries = st.sampled_from(list(Kind)).flatmap(_shape)
measurements = st.lists(
    st.builds(
        Measurement,
        names,
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from(["", "um", "mm2", "1", "{nuclei}"]),
    ),
    max_size=4,
    unique_by=lambda at: at.name,
).map(tuple)
moments = st.datetimes(datetime(1995, 1, 1), datetime(2090, 1, 1)).map(  # noqa: DTZ001
    lambda at: at.replace(tzinfo=timezone(timedelta(hours=1)))
)


@st.composite
def contents(draw: st.DrawFn) -> Content:
    geometry = draw(geometries)
    text = draw(words)
    if geometry.kind is Kind.TEXT and not text.strip():
        text = "et ord"
    return Content(
        geometry=geometry,
        label=draw(words),
        colour=draw(st.sampled_from(["", "FF0000", "0B7FD0", "010203"])),
        text=text,
        measurements=draw(measurements),
        group=draw(words),
        locked=draw(st.booleans()),
    )


origins = st.builds(Origin, st.sampled_from(list(OriginKind)), words, words)
annotations = st.builds(
    Annotation,
    annotation_id=st.uuids(version=4).map(lambda at: at.hex),
    content=contents(),
    author=words,
    drawn_at=moments,
    origin=origins,
    version=st.integers(1, 1000),
    changed_by=words,
    changed_at=st.none() | moments,
)


def square(left: float = 100.0, top: float = 200.0, side: float = 50.0) -> Geometry:
    right, bottom = left + side, top + side
    ring = ((left, top), (right, top), (right, bottom), (left, bottom))
    return Geometry(Kind.POLYGON, ((ring,),))


def with_hole() -> Geometry:
    outer = ((0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0))
    hole = ((25.0, 25.0), (75.0, 25.0), (75.0, 75.0), (25.0, 75.0))
    return Geometry(Kind.POLYGON, ((outer, hole),))
