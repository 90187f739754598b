"""The page of one case: a shell; the browser fetches what the asker may see of it."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from storage.records.people import Right
from viewers.access import guarded
from viewers.pages import render


async def case_page(request: Request) -> Response:
    """Whose case, its glasses, its report; nothing about it is in the page itself."""
    return render(request, "case.html", accession=request.path_params["accession"])


routes = [guarded("/cases/{accession:path}", case_page, Right.READ_CASES, ("GET",))]
