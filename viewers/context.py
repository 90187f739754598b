"""What the web process works with; made once, found on `request.app.state.context`."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import Request

from processing.dicom.opening import Opener
from processing.tiles import Tiles
from storage.database import Database
from storage.dicom_objects import Objects
from storage.errors import NotFound
from storage.pyramids import Pyramids
from storage.settings import Settings
from viewers.colour_tables import ColourTables
from viewers.desk import Desk
from viewers.timing import Timing


@dataclass(frozen=True, slots=True)
class Context:
    """Settings, database, the store, its tiles, the desk, colour tables, time, and DICOM."""

    settings: Settings
    database: Database
    pyramids: Pyramids
    tiles: Tiles
    desk: Desk
    colours: ColourTables
    timing: Timing
    objects: Objects
    opener: Opener


def context_of(request: Request) -> Context:
    """The process's context."""
    context: Context = request.app.state.context
    return context


def plain_id(text: str) -> str:
    """An id as it may be asked for: letters and digits. Errors: NotFound."""
    if not (text.isascii() and text.isalnum() and len(text) <= 64):
        raise NotFound("nothing has such an id")
    return text
