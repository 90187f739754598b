"""The page of radiology: a shell; the browser fetches what the asker may see of the study."""

from __future__ import annotations

import re

from fastapi import Request
from starlette.responses import Response

from storage.records.people import Right
from viewers.access import guarded
from viewers.pages import render, render_error

_UID = re.compile(r"[0-9]+(?:\.[0-9]+)*")
_LONGEST = 64


async def imaging_page(request: Request) -> Response:
    """One study on the screen; `?series=` opens one of its series, `?case=` is where to go back."""
    study = request.path_params["study_uid"]
    wanted = request.query_params.get("series", "")
    if not _is_uid(study) or (wanted and not _is_uid(wanted)):
        return render_error(request, 404)
    came_from = request.query_params.get("case", "")[:_LONGEST]
    return render(request, "imaging.html", study_uid=study, wanted=wanted, came_from=came_from)


def _is_uid(text: str) -> bool:
    return len(text) <= _LONGEST and _UID.fullmatch(text) is not None


routes = [guarded("/imaging/{study_uid}", imaging_page, Right.READ_SLIDES, ("GET",))]
"""The page of one study."""
