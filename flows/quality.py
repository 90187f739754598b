"""A slide's quality: checks on the stored pyramid, maps beside it, a report in the database."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Collection
from dataclasses import replace
from importlib.metadata import version

import numpy as np

from flows.ingest import disk_errors
from flows.services import Services
from processing.quality.assess import Assessed, assess
from processing.quality.background import Background
from processing.quality.check import CellMap
from processing.quality.checks import checks
from processing.quality.slide_view import Cohort, Order, SlideView
from processing.quality.verdict import DEFAULT, policy_ref
from storage import quality, quality_maps
from storage.catalogue import get_slide
from storage.database import now
from storage.errors import Transient, Unsupported
from storage.quality import Run
from storage.quality_maps import MapToStore
from storage.records.people import SVARTID
from storage.records.quality import (
    Finding,
    Policy,
    QualityReport,
    QualityState,
    Verdict,
)
from storage.records.slide import Slide
from storage.tiles import TileStore

_NODATA, _MOST = 255, 254
CRASHED, CHANNELS, DARK = "crashed", "in_channels", "on_dark_ground"


def run_checks(services: Services, slide_id: str) -> Run:
    """Run all checks and enter the report.

    Fluorescence is not evaluated: checks are made for light that goes through. Errors: NotFound,
    Transient.
    """
    slide = get_slide(services.database, slide_id)
    if quality.begin(services.database, slide_id) > quality.MOST_TRIES:
        return _enter_unseen(services, slide, QualityState.ERROR, CRASHED)
    try:
        with disk_errors():
            return _run(services, slide)
    except Unsupported:
        return _enter_unseen(services, slide, QualityState.NOT_EVALUATED, CHANNELS)
    except Transient:
        quality.give_back(services.database, slide_id)
        raise


def _run(services: Services, slide: Slide) -> Run:
    view = view_of(services, slide)
    if view.is_on_dark_ground:
        return _enter_unseen(services, slide, QualityState.NOT_EVALUATED, DARK)
    policy = policy_of(services, view)
    assessed = assess(view, checks(), policy)
    _tidy(services, slide.slide_id)
    run_id = uuid.uuid4().hex
    maps = [
        to_store(check, drawn, view.mpp, _unit(assessed, check))
        for check, drawn in assessed.maps.items()
    ]
    refs = quality_maps.write_run(services.layout, slide.slide_id, run_id, maps)
    findings = tuple(replace(at, map=refs.get(at.check)) for at in assessed.findings)
    report = _report(slide, run_id, view, policy, replace(assessed, findings=findings))
    return quality.enter(services.database, report, SVARTID.name)


def _tidy(services: Services, slide_id: str) -> None:
    """What those left who were killed between writing maps and entering the report."""
    known = {run.report.run_id for run in quality.runs(services.database, slide_id)}
    for folder in quality_maps.unknown_runs(services.layout, slide_id, known):
        shutil.rmtree(folder, ignore_errors=True)


def try_checks(services: Services, slide_id: str, names: Collection[str]) -> Run:
    """What some of the checks say; nothing is entered, for it is not the slide's report."""
    slide = get_slide(services.database, slide_id)
    view = view_of(services, slide)
    policy = policy_of(services, view)
    assessed = assess(view, checks(names), policy)
    report = _report(slide, uuid.uuid4().hex, view, policy, assessed)
    return Run(report, quality.digest(report))


def view_of(services: Services, slide: Slide) -> SlideView:
    """The stored slide as checks see it. Errors: NotFound, Unsupported."""
    store = TileStore(services.pyramids)
    pyramid = store.pyramid(slide.slide_id)
    if pyramid.record.plan.channels is not None:
        raise Unsupported("checks of quality are made for slides in colour, not for channels")
    associated = pyramid.record.associated

    def read_associated(name: str) -> bytes | None:
        file = associated.get(name)
        return None if file is None else (pyramid.folder / file).read_bytes()

    ordered = quality.ordered(services.database, slide.slide_id)
    order = Order() if ordered is None else Order(ordered.barcode, ordered.stain)
    view = SlideView(
        pyramid.record,
        pyramid.present,
        lambda *place: store.stored(pyramid, *place),
        read_associated,
        order,
    )
    scanner = pyramid.record.metadata.scanner or ""
    like = quality.figures_like(
        services.database, slide.slide_id, scanner, order.stain, Background.id
    )
    view.cohort = Cohort(tuple(like))
    return view


def policy_of(services: Services, view: SlideView) -> Policy:
    """The laboratory's policy for such a slide, else the one that comes along."""
    scanner = view.record.metadata.scanner or ""
    return quality.policy_for(services.database, scanner, view.order.stain) or DEFAULT


def _report(
    slide: Slide,
    run_id: str,
    view: SlideView,
    policy: Policy,
    assessed: Assessed,
) -> QualityReport:
    return QualityReport(
        slide_id=slide.slide_id,
        fingerprint=slide.fingerprint,
        root=slide.root,
        run_id=run_id,
        at=now(),
        pipeline=version("svartid"),
        policy=policy_ref(policy),
        size=(view.size.width, view.size.height),
        mpp=view.mpp,
        tissue_mm2=assessed.tissue_mm2,
        tissue_examined=assessed.examined,
        verdict=assessed.verdict,
        findings=assessed.findings,
        cpu_seconds=round(assessed.cpu_seconds, 3),
        seconds=round(assessed.seconds, 3),
        scanner=view.record.metadata.scanner or "",
        stain=view.order.stain,
    )


def _enter_unseen(services: Services, slide: Slide, state: QualityState, why: str) -> Run:
    """The report of a slide that no check could look at: it has one all the same."""
    findings = tuple(
        Finding(at.id, at.version, at.basis, state, at.unit, {}, why) for at in checks()
    )
    mpp = slide.metadata.mpp
    report = QualityReport(
        slide_id=slide.slide_id,
        fingerprint=slide.fingerprint,
        root=slide.root,
        run_id=uuid.uuid4().hex,
        at=now(),
        pipeline=version("svartid"),
        policy=policy_ref(DEFAULT),
        size=(slide.size.width, slide.size.height),
        mpp=mpp.mean if mpp else None,
        tissue_mm2=None,
        tissue_examined=None,
        verdict=Verdict(state, required_missing=DEFAULT.required),
        findings=findings,
        cpu_seconds=0.0,
        seconds=0.0,
        scanner=slide.metadata.scanner or "",
    )
    return quality.enter(services.database, report, SVARTID.name)


def _unit(assessed: Assessed, check: str) -> str:
    return next(at.unit for at in assessed.findings if at.check == check)


def to_store(name: str, drawn: CellMap, mpp: float | None, unit: str) -> MapToStore:
    """Values as bytes in steps; NaN is 255, what is more than 254 steps is 254."""
    steps = np.clip(np.nan_to_num(drawn.values / drawn.step), 0, _MOST)
    stored = np.where(np.isnan(drawn.values), _NODATA, np.rint(steps)).astype(np.uint8)
    return MapToStore(name, stored, drawn.cell, drawn.step, mpp, unit, drawn.classes)
