"""large_image behind Starlette, with its defaults; runs in its own environment.

Its `tiff` source, its tile cache on; the handler is a plain function in the thread pool.
"""

import os

import large_image_source_tiff
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

_SOURCE = large_image_source_tiff.open(os.environ["SLIDE"])
_FINEST = _SOURCE.levels - 1


def tile(request: Request) -> Response:
    """One tile of level 0, as the source encodes it."""
    at = request.path_params
    return Response(_SOURCE.getTile(at["column"], at["row"], _FINEST), media_type="image/jpeg")


def alive(_request: Request) -> Response:
    """For the measurement to begin."""
    return PlainTextResponse("alive")


app = Starlette(routes=[Route("/healthz", alive), Route("/tile/{column:int}_{row:int}.jpeg", tile)])
