"""Drawing on a slide over HTTP: by those who may annotate it, saved at once, never written over."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from storage import annotations_bulk, annotations_single
from storage.annotations_json import annotation_json, group_json
from storage.annotations_single import By, Seen
from storage.catalogue import get_slide
from storage.database import now
from storage.records.annotation import Content, Geometry, Kind, Measurement, new_id, tidy
from storage.records.annotation_events import AnnotationDrawn
from storage.records.annotation_rules import problem_of
from storage.records.people import Right
from viewers.access import needs, principal_of
from viewers.acts import SOURCE
from viewers.context import Context, context_of, plain_id
from viewers.identifiers import Unusable

router = APIRouter(tags=["annotations"])
OF_SLIDE = "/api/v1/slides/{slide_id}/annotations"
_ONE = OF_SLIDE + "/{annotation_id}"
_GROUP = OF_SLIDE + "/groups/{group_id}"
WRITE = [needs(Right.ANNOTATE)]
Version = Annotated[int, Query(ge=1, le=1_000_000)]
_Point = tuple[float, float]


class Measured(BaseModel):
    """A number that goes with it."""

    model_config = ConfigDict(extra="forbid")
    name: str = Field(max_length=200)
    value: float
    unit: str = Field("", max_length=200)


class Drawing(BaseModel):
    """What is drawn and said; coordinates in level-0 pixels."""

    model_config = ConfigDict(extra="forbid")
    kind: Kind
    parts: list[list[list[_Point]]] = Field(max_length=10_000)
    label: str = Field("", max_length=200)
    colour: str = Field("", max_length=6)
    text: str = Field("", max_length=10_000)
    measurements: list[Measured] = Field([], max_length=1000)
    group: str = Field("", max_length=200)
    locked: bool = False

    def content(self, foreign: str = "") -> Content:
        """As it is kept. Errors: Unusable."""
        parts = tuple(tuple(tuple(ring) for ring in part) for part in self.parts)
        content = Content(
            geometry=tidy(Geometry(self.kind, parts)),
            label=self.label.strip(),
            colour=self.colour.upper(),
            text=self.text,
            measurements=tuple(Measurement(at.name, at.value, at.unit) for at in self.measurements),
            group=self.group.strip(),
            locked=self.locked,
            foreign=foreign,
        )
        wrong = problem_of(content)
        if wrong:
            raise Unusable(wrong)
        return content


class NewDrawing(Drawing):
    """With the id the browser gave it, so that asking twice draws once."""

    annotation_id: str = Field("", pattern=r"^([0-9a-f]{32})?$")


class ChangedDrawing(Drawing):
    """With the version that was changed."""

    version: int = Field(ge=1, le=1_000_000)


class OfVersion(BaseModel):
    """What somebody saw when they decided."""

    version: int = Field(ge=1, le=1_000_000)


@router.post(OF_SLIDE, status_code=201, dependencies=WRITE)
def draw(request: Request, slide_id: str, drawing: NewDrawing) -> dict[str, Any]:
    """A new annotation, by whoever asks; the answer is the annotation."""
    context, by = writing(request, slide_id)
    fact = AnnotationDrawn(slide_id, drawing.content(), by.name, now())
    made = annotations_single.draw(context.database, drawing.annotation_id or new_id(), fact, by)
    return annotation_json(made)


@router.put(_ONE, dependencies=WRITE)
def change(
    request: Request, slide_id: str, annotation_id: str, drawing: ChangedDrawing
) -> dict[str, Any]:
    """It looks or says otherwise; 409 `annotation_newer` when somebody was quicker."""
    context, by = writing(request, slide_id)
    known = annotations_single.get(context.database, slide_id, plain_id(annotation_id))
    content = drawing.content(known.content.foreign)
    seen = Seen(slide_id, annotation_id, drawing.version)
    return annotation_json(annotations_single.change(context.database, seen, content, by))


@router.delete(_ONE, dependencies=WRITE)
def remove(request: Request, slide_id: str, annotation_id: str, version: Version) -> dict[str, Any]:
    """Out of sight; it can be restored."""
    context, by = writing(request, slide_id)
    seen = Seen(slide_id, plain_id(annotation_id), version)
    return annotation_json(annotations_single.remove(context.database, seen, by))


@router.post(_ONE + "/restore", dependencies=WRITE)
def restore(request: Request, slide_id: str, annotation_id: str, said: OfVersion) -> dict[str, Any]:
    """In sight again."""
    context, by = writing(request, slide_id)
    seen = Seen(slide_id, plain_id(annotation_id), said.version)
    return annotation_json(annotations_single.restore(context.database, seen, by))


@router.delete(_GROUP, dependencies=WRITE)
def remove_group(request: Request, slide_id: str, group_id: str) -> dict[str, Any]:
    """A group out of sight; it can be restored."""
    context, by = writing(request, slide_id)
    return group_json(
        annotations_bulk.remove(context.database, slide_id, plain_id(group_id), by), []
    )


@router.post(_GROUP + "/restore", dependencies=WRITE)
def restore_group(request: Request, slide_id: str, group_id: str) -> dict[str, Any]:
    """A group in sight again."""
    context, by = writing(request, slide_id)
    known = annotations_bulk.restore(context.database, slide_id, plain_id(group_id), by)
    return group_json(known, annotations_bulk.places(context.database, group_id))


def writing(request: Request, slide_id: str) -> tuple[Context, By]:
    """Let somebody annotate a slide. Errors: NotFound, Forbidden."""
    context, principal = context_of(request), principal_of(request)
    get_slide(context.database, plain_id(slide_id))
    context.desk.slide(principal, Right.ANNOTATE, slide_id, "annotate")
    return context, By(principal.name, SOURCE)
