"""Annotations in the store: a fold of events, changes to what was seen, many at once as groups."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from storage import annotations_bulk, annotations_import, annotations_single, events
from storage.annotations_codec import decode, encode
from storage.annotations_gathering import Gathering, annotations_in, neighbours
from storage.annotations_import import Source, Taken
from storage.annotations_single import By, Seen
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound, StoreDamaged
from storage.exchange.geojson import feature_of
from storage.exchange.geojson_reading import FileSource, annotation_of
from storage.records.annotation import (
    Annotation,
    AnnotationGroup,
    Brought,
    Content,
    Geometry,
    Kind,
    Measurement,
    Origin,
    OriginKind,
    id_of_uid,
    new_id,
    uid_of,
)
from storage.records.annotation_events import AnnotationDrawn
from storage.tables import event
from tests.storage.drawings import AT, annotations, square, with_hole

SLIDE, OTHER = "a" * 20, "b" * 20
PIA, POUL = By("pia", "web"), By("poul", "web")
FILE = Source("cells.geojson", PIA)


def draw(database: Database, content: Content | None = None, by: By = PIA) -> Annotation:
    fact = AnnotationDrawn(SLIDE, content or Content(square(), label="Tumor"), by.name, now())
    return annotations_single.draw(database, new_id(), fact, by)


def seen(at: Annotation) -> Seen:
    return Seen(SLIDE, at.annotation_id, at.version)


def test_drawn_changed_removed_restored(database: Database) -> None:
    first = draw(database)
    other = replace(first.content, text="infiltrativ rand", colour="FF0000")
    second = annotations_single.change(database, seen(first), other, POUL)
    assert (second.version, second.author, second.changed_by) == (2, "pia", "poul")
    assert annotations_single.listing(database, SLIDE) == [second]
    third = annotations_single.remove(database, seen(second), PIA)
    assert annotations_single.listing(database, SLIDE) == []
    fourth = annotations_single.restore(database, seen(third), PIA)
    assert annotations_single.listing(database, SLIDE) == [fourth]
    assert (fourth.version, fourth.content) == (4, other)
    told = annotations_single.history(database, SLIDE, first.annotation_id)
    assert [(at.kind, at.by) for at in told] == [
        ("AnnotationDrawn", "pia"), ("AnnotationChanged", "poul"),
        ("AnnotationRemoved", "pia"), ("AnnotationRestored", "pia"),
    ]  # fmt: skip
    assert [at.state.content for at in told] == [first.content, other, other, other]
    assert told[-1].state == fourth


def test_a_lost_update_is_refused(database: Database) -> None:
    first = draw(database)
    annotations_single.change(database, seen(first), replace(first.content, text="a"), POUL)
    for act in (
        lambda: annotations_single.change(
            database, seen(first), replace(first.content, text="b"), PIA
        ),
        lambda: annotations_single.remove(database, seen(first), PIA),
    ):
        with pytest.raises(Illegal, match="annotation newer"):
            act()
    assert annotations_single.listing(database, SLIDE)[0].content.text == "a"


def test_of_many_at_once_one_change_is_kept(database: Database) -> None:
    first = draw(database)
    done, refused = list[str](), list[str]()
    start = threading.Barrier(6)

    def change(number: int) -> None:
        start.wait()
        try:
            text = replace(first.content, text=str(number))
            made = annotations_single.change(database, seen(first), text, PIA)
            done.append(made.content.text)
        except Illegal as error:
            refused.append(error.reason)

    threads = [threading.Thread(target=change, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(done), refused) == (1, ["annotation_newer"] * 5)
    assert annotations_single.listing(database, SLIDE)[0].content.text == done[0]


def test_asking_twice_draws_once(database: Database) -> None:
    fact = AnnotationDrawn(SLIDE, Content(square()), "pia", now())
    one = new_id()
    first = annotations_single.draw(database, one, fact, PIA)
    assert annotations_single.draw(database, one, replace(fact, drawn_at=now()), PIA) == first
    with pytest.raises(Illegal, match="annotation there"):
        annotations_single.draw(database, one, replace(fact, content=Content(with_hole())), PIA)
    assert annotations_single.listing(database, SLIDE) == [first]


def test_what_is_not_there_and_what_is_locked(database: Database) -> None:
    locked = draw(database, Content(square(), locked=True))
    with pytest.raises(NotFound):
        annotations_single.get(database, OTHER, locked.annotation_id)
    with pytest.raises(NotFound):
        annotations_single.remove(database, replace(seen(locked), slide_id=OTHER), PIA)
    with pytest.raises(Illegal, match="annotation locked"):
        annotations_single.remove(database, seen(locked), PIA)
    with pytest.raises(Illegal, match="annotation locked"):
        annotations_single.change(database, seen(locked), replace(locked.content, text="x"), PIA)
    free = replace(locked.content, locked=False)
    unlocked = annotations_single.change(database, seen(locked), free, PIA)
    assert annotations_single.remove(database, seen(unlocked), PIA).removed
    with pytest.raises(Illegal, match="annotation there"):
        annotations_single.restore(database, seen(draw(database)), PIA)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (Content(Geometry(Kind.POLYGON, ())), "shape_empty"),
        (Content(Geometry(Kind.POLYGON, ((((0.0, 0.0), (1.0, 1.0)),),))), "shape_too_few_points"),
        (Content(Geometry(Kind.POINT, ((((float("nan"), 0.0),),),))), "shape_out_of_bounds"),
        (Content(Geometry(Kind.TEXT, ((((0.0, 0.0),),),))), "text_missing"),
        (Content(square(), colour="red"), "colour_malformed"),
        (Content(square(), text="a\0b"), "text_unusable"),
        (Content(square(), label="x" * 201), "text_unusable"),
        (Content(square(), measurements=(Measurement("a", float("inf")),)), "measurement_unusable"),
    ],
)
def test_what_cannot_be_kept_is_told(database: Database, content: Content, why: str) -> None:
    with pytest.raises(Malformed, match=f"^{why}$"):
        draw(database, content)
    assert annotations_single.listing(database, SLIDE) == []


@given(annotations)
def test_the_uid_leads_back_to_the_id(at: Annotation) -> None:
    assert id_of_uid(uid_of(at.annotation_id)) == at.annotation_id
    assert len(uid_of(at.annotation_id)) <= 64


@pytest.mark.parametrize(
    "uid", ["", "2.25", "2.25.", "1.2.3", "2.25.01", "2.25.x", f"2.25.{1 << 128}"]
)
def test_a_uid_of_another_make_is_none(uid: str) -> None:
    assert id_of_uid(uid) is None


@given(st.lists(annotations, min_size=1, max_size=4))
def test_gathered_annotations_read_back(drawn: list[Annotation]) -> None:
    gathering = Gathering()
    for at in drawn:
        gathering.add(at)
    found = dict[str, Annotation]()
    for like, author, drawn_at, block in gathering.groups():
        group = AnnotationGroup(
            new_id(), like.kind, block.count, like.label, like.colour, like.group, author,
            drawn_at, like.origin, "", "",
        )  # fmt: skip
        for part in neighbours(block):
            found |= {at.annotation_id: at for at in annotations_in(group, decode(encode(part)))}
    assert found == {at.annotation_id: of_a_group(at) for at in drawn}


def of_a_group(at: Annotation) -> Annotation:
    """A group's members have not been changed here."""
    return replace(at, version=1, changed_by="", changed_at=None)


def test_a_damaged_block_is_told() -> None:
    gathering = Gathering()
    gathering.add(next(cells(1)).annotation)
    ((_, _, _, block),) = gathering.groups()
    whole = encode(block)
    for spoilt in (b"", whole[:20], whole[:-1], b"XXXX" + whole[4:]):
        with pytest.raises(StoreDamaged):
            decode(spoilt)


def cells(count: int) -> Iterator[Brought]:
    """Nuclei as an algorithm finds them, in hundredths of a pixel."""
    for number in range(count):
        x, y = 50.0 * (number % 400) + 0.25, 50.0 * (number // 400) + 0.5
        ring = tuple((round(x + 8 * dx, 2), round(y + 8 * dy, 2)) for dx, dy in _ROUND)
        content = Content(
            Geometry(Kind.POLYGON, ((ring,),)),
            label="Tumor" if number % 3 else "Stroma",
            measurements=(Measurement("Area", number * 0.5, "um2"),),
        )
        origin = Origin(OriginKind.ALGORITHM, "StarDist", "0.9")
        yield Brought(Annotation(f"{number:032x}", content, "", AT, origin), whole=True)


_ROUND = [(0.0, 0.0), (0.7, -0.7), (1.0, 0.3), (0.4, 0.9), (-0.5, 0.6)]


def test_many_come_as_groups_with_one_event_each(database: Database) -> None:
    taken = annotations_import.take(database, SLIDE, cells(2500), FILE)
    assert (taken.grouped, taken.drawn, len(taken.groups)) == (2500, 0, 2)
    groups = annotations_bulk.groups(database, SLIDE)
    assert {at.label: at.count for at in groups} == {"Tumor": 1666, "Stroma": 834}
    assert all(at.origin == Origin(OriginKind.ALGORITHM, "StarDist", "0.9") for at in groups)
    kinds = [at.kind for at in annotation_events(database)]
    assert kinds == ["AnnotationsImported"] * 2
    found = {
        at.annotation_id: at for group in groups for at in annotations_bulk.members(database, group)
    }
    assert found == {at.annotation.annotation_id: at.annotation for at in cells(2500)}
    places = annotations_bulk.places(database, groups[1].group_id)
    assert [at.count for at in places] == [416, 417, 416, 417]
    assert len(annotations_bulk.middles(database, groups[1].group_id)) == 8 * 1666
    again = annotations_import.take(database, SLIDE, cells(2500), FILE)
    assert (again.grouped, again.known, again.groups) == (0, 2500, [])


def annotation_events(database: Database) -> list[sa.Row[tuple[str]]]:
    with database.reading() as connection:
        query = sa.select(event.c.kind).where(event.c.subject.like("annotation%"))
        return list(connection.execute(query).all())


def test_a_group_goes_and_comes_back(database: Database) -> None:
    annotations_import.take(database, SLIDE, cells(1500), FILE)
    first, other = annotations_bulk.groups(database, SLIDE)
    before = annotations_single.revision(database, SLIDE)
    annotations_bulk.remove(database, SLIDE, first.group_id, POUL)
    assert annotations_bulk.groups(database, SLIDE) == [other]
    assert annotations_single.revision(database, SLIDE) > before
    with pytest.raises(Illegal, match="annotation removed"):
        annotations_bulk.remove(database, SLIDE, first.group_id, POUL)
    with pytest.raises(NotFound):
        annotations_bulk.remove(database, OTHER, other.group_id, POUL)
    annotations_bulk.restore(database, SLIDE, first.group_id, POUL)
    assert annotations_bulk.groups(database, SLIDE) == [first, other]
    told = events.history(database, f"annotations:{first.group_id}")
    assert [(at.kind, at.actor) for at in told] == [
        ("AnnotationsImported", "pia"), ("AnnotationsRemoved", "poul"),
        ("AnnotationsRestored", "poul"),
    ]  # fmt: skip


def test_few_are_kept_one_by_one_and_nobody_is_made_their_author(database: Database) -> None:
    drawn = Annotation(new_id(), Content(square()), "poul", AT)
    taken = annotations_import.take(database, SLIDE, [Brought(drawn, whole=True)], FILE)
    assert taken == Taken(drawn=1)
    (kept,) = annotations_single.listing(database, SLIDE)
    assert (kept.author, kept.origin) == ("poul", Origin(OriginKind.IMPORT, "cells.geojson"))
    (told,) = annotations_single.history(database, SLIDE, drawn.annotation_id)
    assert told.by == "pia"


def test_a_time_to_come_is_not_believed(database: Database) -> None:
    drawn = Annotation(new_id(), Content(square()), "", now() + timedelta(days=9))
    annotations_import.take(database, SLIDE, [Brought(drawn, whole=True)], FILE)
    (kept,) = annotations_single.listing(database, SLIDE)
    assert kept.drawn_at < now() + timedelta(hours=1)


def test_a_known_annotation_comes_back_from_qupath(database: Database) -> None:
    """QuPath rounds to hundredths and drops what is ours: that alone is no change."""
    ring = ((1.234567, 2.0), (9.0, 2.0), (9.0, 7.0), (1.234567, 7.0))
    first = draw(
        database,
        Content(
            Geometry(Kind.RECTANGLE, ((ring,),)),
            label="Tumor", text="rand", group="G1", measurements=(Measurement("Area", 5.0, "mm2"),),
        ),
    )  # fmt: skip
    untouched = as_qupath_saves(first)
    came = [annotation_of(untouched, FileSource("q.geojson", now()))]
    assert annotations_import.take(database, SLIDE, came, FILE) == Taken(known=1)
    untouched["properties"]["classification"]["name"] = "Stroma"
    came = [annotation_of(untouched, FileSource("q.geojson", now()))]
    assert annotations_import.take(database, SLIDE, came, FILE) == Taken(changed=1)
    (kept,) = annotations_single.listing(database, SLIDE)
    assert kept.content == replace(first.content, label="Stroma")
    assert (kept.author, kept.origin.kind, kept.version) == ("pia", OriginKind.PERSON, 2)


def as_qupath_saves(at: Annotation) -> dict[str, dict[str, dict[str, object]]]:
    feature = feature_of(at)
    del feature["properties"]["svartid"]
    ring = feature["geometry"]["coordinates"][0]
    feature["geometry"]["coordinates"] = [[[round(x, 2), round(y, 2)] for x, y in ring]]
    return feature


def test_what_was_changed_here_meanwhile_stays(database: Database) -> None:
    first = draw(database)
    exported = Brought(replace(first, content=replace(first.content, text="old")), whole=True)
    annotations_single.change(database, seen(first), replace(first.content, text="new"), PIA)
    assert annotations_import.take(database, SLIDE, [exported], FILE) == Taken(newer_here=1)
    assert annotations_single.listing(database, SLIDE)[0].content.text == "new"


def test_an_id_of_another_slide_gets_one_of_its_own(database: Database) -> None:
    first = draw(database)
    taken = annotations_import.take(database, OTHER, [Brought(first, whole=True)], FILE)
    assert taken == Taken(drawn=1)
    (copy,) = annotations_single.listing(database, OTHER)
    assert copy.annotation_id != first.annotation_id
    assert copy.content == first.content


def test_a_received_object_is_imported_once(database: Database) -> None:
    source = replace(FILE, sop_uid="2.25.77")
    drawn = Brought(Annotation(new_id(), Content(square()), "x", AT), whole=False)
    assert annotations_import.take(database, SLIDE, [drawn], source).drawn == 1
    other = replace(drawn, annotation=replace(drawn.annotation, annotation_id=new_id()))
    assert annotations_import.take(database, SLIDE, [other], source) == Taken()
    assert len(annotations_single.listing(database, SLIDE)) == 1


def test_a_file_that_fails_brings_nothing(database: Database) -> None:
    def spoilt() -> Iterator[Brought]:
        yield from cells(3)
        raise Malformed("not_json")

    with pytest.raises(Malformed):
        annotations_import.take(database, SLIDE, spoilt(), FILE)
    assert annotations_single.listing(database, SLIDE) == []
