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
from storage.errors import NotFound, Refused, StoreDamaged, SvartidError, Transient
from storage.records.models import LADDER, Admission, AdmissionTest, Model, ModelResult
from storage.records.people import SVARTID
from storage.records.quality import Figure, ModelMode
from storage.records.slide import Slide

_LOG = logging.getLogger("svartid.models")
Open = Callable[[Model, bytes], Sandbox]
_AT_ONCE = 5
_EVERY = 30.0
"""Seconds between looks while there is nothing to run."""
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
    with opened(model, models.file_of(services.layout, model.manifest)) as box:
        return _run(services, model, slide_id, by, box)


def run_due(services: Services, opened: Open = open_box, most: int = _AT_ONCE) -> int:
    """Every model above `test` on complete slides it has not seen; how many results were made.

    A model that fails falls to `test` at once and is left to people; nothing else waits for it.
    Errors: Transient.
    """
    count = 0
    for model in models.listing(services.database, LADDER[1:]):
        manifest = model.manifest
        named = (services.database, manifest.name, manifest.version, model.mode, most)
        waiting = model_results.not_run(*named)
        if not waiting:
            continue
        try:
            with opened(model, models.file_of(services.layout, manifest)) as box:
                for slide_id in waiting:
                    count += _run_or_say_why(services, model, slide_id, box)
        except ModelFailed as error:
            _LOG.warning("model %s steps down: %s", manifest.name, error)
            models.demote(services.database, model, ModelMode.TEST, SVARTID.name, str(error))
        except (Refused, StoreDamaged) as error:  # no box here, no torch, no file: nobody's fault
            _LOG.warning("model %s is not run: %s", manifest.name, error)
    return count


class Guests:
    """What the quality process does when it has nothing to check; call it again and again."""

    def __init__(self, services: Services, every: float = _EVERY) -> None:
        self._services, self._every, self._last = services, every, float("-inf")

    def __call__(self) -> int:
        """How many results were made. Errors: Transient."""
        if time.monotonic() - self._last < self._every:
            return 0
        count = run_due(self._services)
        if not count:
            self._last = time.monotonic()
        return count


def _run_or_say_why(services: Services, model: Model, slide_id: str, box: Sandbox) -> int:
    """A result either way, so that it is not asked again. Errors: ModelFailed, Transient."""
    try:
        _run(services, model, slide_id, SVARTID.name, box)
    except (ModelFailed, Transient):
        raise
    except NotFound:  # taken away in between
        return 0
    except SvartidError as error:
        told = str(error) if isinstance(error, Refused) else error.code
        why: dict[str, Figure] = {NOT_EVALUATED: told[:80]}
        slide = get_slide(services.database, slide_id)
        model_results.enter(services.database, _result(model, slide, why), SVARTID.name)
    return 1


def _run(services: Services, model: Model, slide_id: str, by: str, box: Sandbox) -> ModelResult:
    manifest, slide = model.manifest, get_slide(services.database, slide_id)
    if slide.root is None:
        raise Refused("the slide is not complete yet: a result names the pyramid that it saw")
    began, view = time.perf_counter(), view_of(services, slide)
    said = run_over(view, manifest, box)
    found = _result(model, slide, said.figures)
    units = {f"{at.name}.{word}": at.unit for at in manifest.outputs for word in at.classes}
    files = {name: name.replace(".", "-") for name in said.maps}
    maps = [to_store(files[at], drawn, view.mpp, units[at]) for at, drawn in said.maps.items()]
    own = model_results.results_layout(services.layout)
    refs = quality_maps.write_run(own, slide_id, found.result_id, maps)
    named = {name: refs[file] for name, file in files.items()}
    seconds = round(time.perf_counter() - began, 3)
    return model_results.enter(services.database, replace(found, maps=named, seconds=seconds), by)


def _result(model: Model, slide: Slide, figures: dict[str, Figure]) -> ModelResult:
    return ModelResult(
        uuid.uuid4().hex, model.manifest.name, model.manifest.version, model.manifest.sha256,
        slide.slide_id, slide.fingerprint, slide.root, model.mode, now(), figures, {}, 0.0,
    )  # fmt: skip
