"""The web application: Gate, then tiles, then pages and API. uvicorn calls `create_app`."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import APIRouter, FastAPI, Request
from starlette.types import ASGIApp

from processing.dicom.opening import Opener
from processing.tiles import Tiles
from storage.database import Database
from storage.dicom_objects import Objects
from storage.logs import log_to_stderr
from storage.pyramids import Pyramids
from storage.records.people import Right
from storage.settings import Settings, read_settings
from storage.tiles import TileStore
from viewers import (
    annotations_draw,
    annotations_files,
    annotations_read,
    case_acts,
    case_entry,
    case_orders,
    case_page,
    case_pages,
    cases,
    changes,
    channels,
    cohorts,
    colleagues,
    colour,
    dicomweb,
    dicomweb_rendered,
    dicomweb_search,
    dicomweb_store,
    dicomweb_uri,
    direct,
    drift,
    errors,
    facts,
    forwarding,
    glasses,
    health,
    imaging,
    imaging_pages,
    lab,
    lab_pages,
    models,
    ops,
    pages,
    policy,
    prefect_proxy,
    quality,
    repairs,
    reports,
    signin,
    slide_case,
    slides,
    static,
    turnaround,
    turnaround_pages,
    unknown,
    uploads,
    work,
    workitems,
    workitems_events,
)
from viewers.access import Gate, needs, principal_of
from viewers.audit import Audit
from viewers.colour_tables import ColourTables
from viewers.context import Context
from viewers.desk import Desk
from viewers.dicomweb_frames import FrameApp
from viewers.headers import SecurityHeaders
from viewers.tiles import TileApp
from viewers.timing import Timing

me = APIRouter(tags=["people"])


@me.get("/api/v1/me", dependencies=[needs(Right.SIGNED_IN)])
def who_am_i(request: Request) -> dict[str, str]:
    """Name and role of whoever asks."""
    principal = principal_of(request)
    return {"name": principal.name, "role": principal.role.value}


def create_app(settings: Settings | None = None) -> ASGIApp:
    """The whole application as one ASGI callable."""
    log_to_stderr()
    context = _context(settings or read_settings())
    app = build_api(context)
    frames = FrameApp(SecurityHeaders(app), context)
    tiles = TileApp(frames, context.tiles, context.desk)
    gate = Gate(tiles, context.database, context.settings.origin, context.settings.secure_cookies)
    app.state.forget = gate.forget
    return gate


def build_api(context: Context) -> FastAPI:
    """Pages and API; every route names the right it needs."""
    app = FastAPI(
        title="svartid", version=version("svartid"), docs_url=None, redoc_url=None,
        openapi_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.context = context
    for router in (
        health.router, me, slides.router, slide_case.router, channels.router, colour.router,
        direct.router, drift.router, ops.router, changes.router, uploads.router,
        prefect_proxy.router,
        static.router, work.router, turnaround.router, policy.router,
        forwarding.router, lab.router, unknown.router, repairs.router, imaging.router,
        case_entry.router, cases.router, case_orders.router, case_acts.router, reports.router,
        dicomweb_search.router, dicomweb_rendered.router, dicomweb.router, dicomweb_store.router,
        dicomweb_uri.router,
        workitems.router, workitems_events.router,
        glasses.router, facts.router, colleagues.router, cases.late,
        quality.router, models.router, cohorts.router,
        annotations_files.router, annotations_read.router, annotations_draw.router,
    ):  # fmt: skip
        app.include_router(router)
    app.include_router(_openapi(app))
    app.router.routes.extend([*signin.routes, *pages.routes, *lab_pages.routes])
    app.router.routes.extend([*turnaround_pages.routes, *case_pages.routes, *case_page.routes])
    app.router.routes.extend([*imaging_pages.routes, *drift.routes])
    errors.install(app)
    return app


def _openapi(app: FastAPI) -> APIRouter:
    router = APIRouter()

    @router.get("/api/v1/openapi.json", dependencies=[needs(Right.SIGNED_IN)], tags=["api"])
    def openapi() -> dict[str, object]:
        """This API's own description."""
        return app.openapi()

    return router


def _context(settings: Settings) -> Context:
    layout, database = settings.layout, Database(settings.database_url)
    pyramids = Pyramids(layout.pyramids, layout.staging, layout.cold)
    store, objects = TileStore(pyramids), Objects(database)
    tiles, opener = Tiles(store, layout.made), Opener(store, layout, objects)
    audit = Audit(database, one_of_several=settings.web_workers > 1)
    desk, timing = Desk(database, audit), Timing(database)
    return Context(
        settings, database, pyramids, tiles, desk, ColourTables(), timing, objects, opener
    )
