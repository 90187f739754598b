"""Guests at work: admitted by tests, run on slides, their answers kept; each in its own box."""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import replace

from flows.model_sandbox import ModelFailed, Sandbox
from flows.quality import to_store, view_of
from flows.services import Services
from processing.models.admission import examine
from processing.models.runner import run as run_over
from storage import model_results, models, quality_maps
from storage.catalogue import get_slide
from storage.database import now
from storage.errors import Refused, Unsupported
from storage.records.models import LADDER, Admission, AdmissionTest, Model, ModelResult
from storage.records.people import SVARTID
from storage.records.quality import Figure, ModelMode
from storage.records.slide import Slide

_LOG = logging.getLogger("svartid.models")
Open = Callable[[Model, bytes], Sandbox]
_AT_ONCE = 20
NOT_EVALUATED = "not_evaluated"
"""The figure of a result that says why there is none."""


def open_box(model: Model, data: bytes) -> Sandbox:
    """The box a model runs in."""
    return Sandbox(model.manifest, data)


def admit(services: Services, model: Model, by: str, opened: Open = open_box) -> Model:
    """Put a model through its admission tests and keep how they went. Errors: StoreDamaged."""
    data = models.file_of(services.layout, model.manifest)
    held: tuple[str, ...] = ()
    try:
        with opened(model, data) as box:
            held = box.held
            tests = examine(model.manifest, box, box.peak_bytes)
    except Refused as error:
        tests = (AdmissionTest("loads", False, None, None, str(error)),)
    found = Admission(tests, now(), by, held)
    return models.enter_admission(
        services.database, model.manifest.name, model.manifest.version, found
    )


def run_model(
    services: Services, model: Model, slide_id: str, by: str, opened: Open = open_box
) -> ModelResult:
    """Run a model on a slide and keep what it says, in the mode it has now.

    Errors: NotFound, Refused (not complete, pixel size, stain), ModelFailed, Unsupported.
    """
    manifest, slide = model.manifest, get_slide(services.database, slide_id)
    if slide.root is None:
        raise Refused("the slide is not complete yet: a result names the pyramid that it saw")
    began, view = time.perf_counter(), view_of(services, slide)
    with opened(model, models.file_of(services.layout, manifest)) as box:
        said = run_over(view, manifest, box)
    result_id = uuid.uuid4().hex
    units = {f"{at.name}.{word}": at.unit for at in manifest.outputs for word in at.classes}
    maps = [
        to_store(name.replace(".", "-"), drawn, view.mpp, units[name])
        for name, drawn in said.maps.items()
    ]
    own = model_results.results_layout(services.layout)
    refs = quality_maps.write_run(own, slide_id, result_id, maps)
    seconds = time.perf_counter() - began
    named = {name: refs[name.replace(".", "-")] for name in said.maps}
    found = replace(_result(model, slide, said.figures), result_id=result_id, maps=named)
    return model_results.enter(services.database, replace(found, seconds=round(seconds, 3)), by)


def _result(model: Model, slide: Slide, figures: dict[str, Figure]) -> ModelResult:
    return ModelResult(
        uuid.uuid4().hex, model.manifest.name, model.manifest.version, model.manifest.sha256,
        slide.slide_id, slide.fingerprint, slide.root, model.mode, now(), figures, {}, 0.0,
    )  # fmt: skip


def run_due(services: Services, opened: Open = open_box) -> int:
    """Every model above `test` on complete slides it has not seen; how many runs were made.

    A model that fails falls to `test` at once and is left to people; nothing waits for it.
    """
    count = 0
    for model in models.listing(services.database, LADDER[1:]):
        manifest = model.manifest
        named = (services.database, manifest.name, manifest.version, model.mode, _AT_ONCE)
        for slide_id in model_results.not_run(*named):
            try:
                run_model(services, model, slide_id, SVARTID.name, opened)
                count += 1
            except ModelFailed as error:
                _LOG.warning("model %s steps down: %s", manifest.name, error)
                models.demote(services.database, model, ModelMode.TEST, SVARTID.name, str(error))
                break
            except (Refused, Unsupported) as error:  # said once, so that it is not asked again
                why: dict[str, Figure] = {NOT_EVALUATED: str(error)[:80]}
                slide = get_slide(services.database, slide_id)
                model_results.enter(services.database, _result(model, slide, why), SVARTID.name)
    return count
