"""Annotations as the API and the screens know them: plain JSON in level-0 pixels."""

from __future__ import annotations

from typing import Any

from storage.annotations_single import Chapter
from storage.records.annotation import Annotation, AnnotationGroup, BlockPlace, Content, Origin


def annotation_json(at: Annotation) -> dict[str, Any]:
    """One annotation."""
    return {
        "annotation_id": at.annotation_id,
        "version": at.version,
        **content_json(at.content),
        "author": at.author,
        "drawn_at": at.drawn_at.isoformat(),
        "origin": _origin(at.origin),
        "changed_by": at.changed_by,
        "changed_at": at.changed_at.isoformat() if at.changed_at else None,
        "removed": at.removed,
    }


def content_json(content: Content) -> dict[str, Any]:
    """What may be changed of it."""
    geometry = content.geometry
    return {
        "kind": geometry.kind.value,
        "parts": [[[list(at) for at in ring] for ring in part] for part in geometry.parts],
        "label": content.label,
        "colour": content.colour,
        "text": content.text,
        "measurements": [
            {"name": at.name, "value": at.value, "unit": at.unit} for at in content.measurements
        ],
        "group": content.group,
        "locked": content.locked,
    }


def history_json(chapters: list[Chapter]) -> list[dict[str, Any]]:
    """What happened to an annotation, with what changed each time."""
    told, before = list[dict[str, Any]](), dict[str, Any]()
    for at in chapters:
        content = content_json(at.state.content)
        what = [key for key in content if before and content[key] != before[key]]
        told.append(
            {
                "kind": at.kind,
                "by": at.by,
                "source": at.source,
                "at": at.at.isoformat(),
                "version": at.state.version,
                "changed": what,
                "content": content,
            }
        )
        before = content
    return told


def group_json(at: AnnotationGroup, places: list[BlockPlace]) -> dict[str, Any]:
    """Many that came at once: what they have in common, and where their blocks lie."""
    return {
        "group_id": at.group_id,
        "kind": at.kind.value,
        "count": at.count,
        "label": at.label,
        "colour": at.colour,
        "group": at.group,
        "author": at.author,
        "drawn_at": at.drawn_at.isoformat(),
        "origin": _origin(at.origin),
        "source": at.source,
        "blocks": [[place.count, *place.bounds] for place in places],
    }


def _origin(origin: Origin) -> dict[str, str]:
    return {"kind": origin.kind.value, "name": origin.name, "version": origin.version}
