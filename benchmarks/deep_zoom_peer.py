"""The peer: openslide-python's DeepZoomGenerator behind Starlette, as its own example does it."""

from __future__ import annotations

import io
import os

import openslide
from openslide.deepzoom import DeepZoomGenerator
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_ZOOM = DeepZoomGenerator(openslide.OpenSlide(os.environ["SLIDE"]), tile_size=256, overlap=0)


def tile(request: Request) -> Response:
    """One tile, decoded and encoded again at quality 80."""
    at = request.path_params
    image = _ZOOM.get_tile(at["level"], (at["column"], at["row"]))
    buffer = io.BytesIO()
    image.save(buffer, "jpeg", quality=80)
    return Response(buffer.getvalue(), media_type="image/jpeg")


def alive(_request: Request) -> Response:
    """For the measurement to begin."""
    return PlainTextResponse("alive")


app = Starlette(
    routes=[
        Route("/healthz", alive),
        Route("/slides/{name}_files/{level:int}/{column:int}_{row:int}.jpeg", tile),
    ]
)
