"""The two stages of reading a slide in; plain functions that run without Prefect.

Each can be called again at any point: what is done is found done. The second has a file of its
own, which is loaded when it is needed.
"""

from __future__ import annotations

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from flows.originals import locked, original_path, set_aside, take_back
from flows.services import Services
from processing.channels_seen import channels_seen
from processing.readers import SlideReader, open_slide
from processing.source_levels import Progress, copy_source_levels
from processing.tiling import Sourced, plan_pyramid
from storage import intake, leases
from storage.errors import Damaged, NoSpace, SvartidError, Transient
from storage.on_demand import load
from storage.pyramids import ICC_FILE, associated_file
from storage.records.intake import READABLE, Intake, IntakeState
from storage.records.slide import AssociatedImage, LevelOrigin, Notice, PyramidRecord

COMPLETE = "flows.completion:complete"
_EVERY = 0.4
"""Seconds between two notes of progress in the database."""


def read_in(services: Services, intake_id: str, progress: Progress | None = None) -> None:
    """Phase one: the scanner's levels become a published pyramid, the slide is readable."""
    tell = progress or noting(services, intake_id)
    with alone(services, intake_id) as row, disk_errors():
        if row.state in READABLE:
            return
        with open_slide(original_path(services.layout, row.fingerprint)) as reader:
            channels = channels_seen(reader)
            sourced = plan_pyramid(reader.levels, lossless=row.lossless, channels=channels)
            draft = services.pyramids.create(row.slide_id)
            written = copy_source_levels(reader, sourced, draft, tell)
            images = reader.associated_images()
            record = describe(row.fingerprint, reader, sourced, images, absent=written.absent)
            draft.add_associated(images)
            draft.add_icc_profile(reader.icc_profile)
            services.pyramids.publish(draft, record)
        intake.mark_ready(services.database, intake_id, record)


def give_up(services: Services, intake_id: str, error: SvartidError) -> IntakeState:
    """End an intake with its reason: quarantine when the file is at fault, failed otherwise.

    A slide that can be read stays readable, its original where it is, unless its levels
    contradict each other: then it is taken out of everybody's sight.
    """
    row = intake.get(services.database, intake_id)
    services.pyramids.discard(row.slide_id)
    state = intake.mark_ended(services.database, intake_id, error)
    if state is IntakeState.QUARANTINED:
        services.pyramids.remove(row.slide_id)
        set_aside(services.layout, row.fingerprint)
    return state


def describe(
    fingerprint: str,
    reader: SlideReader,
    sourced: Sourced,
    images: Sequence[AssociatedImage],
    *,
    absent: int,
) -> PyramidRecord:
    """What a pyramid says about itself, all of it out of the original."""
    return PyramidRecord(
        slide_id=intake.slide_id_of(fingerprint),
        fingerprint=fingerprint,
        plan=sourced.plan,
        metadata=replace(reader.metadata, notices=_notices(reader, sourced, absent)),
        associated={image.name: associated_file(image) for image in images},
        icc_profile=ICC_FILE if reader.icc_profile is not None else None,
    )


def _complete(services: Services, intake_id: str, progress: Progress | None = None) -> None:
    load(COMPLETE)(services, intake_id, progress)


STAGES: dict[IntakeState, Callable[[Services, str, Progress | None], None]] = {
    IntakeState.READING: read_in,
    IntakeState.COMPLETING: _complete,
}


def _notices(reader: SlideReader, sourced: Sourced, absent: int) -> tuple[Notice, ...]:
    notices = list(reader.metadata.notices)
    if sourced.plan.levels[0].origin is LevelOrigin.ENCODED and reader.channels is None:
        notices.append(Notice.ENCODED_ONCE)
    if sourced.ignored:
        notices.append(Notice.LEVEL_IGNORED)
    if absent:
        notices.append(Notice.MISSING_TILES)
    return tuple(dict.fromkeys(notices))


def noting(services: Services, intake_id: str) -> Progress:
    """Progress into the intake row, not more often than screens look."""
    last = 0.0

    def note(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            leases.progress(services.database, intake_id, done, total)

    return note


@contextmanager
def alone(services: Services, intake_id: str) -> Iterator[Intake]:
    """The row, with its original locked: whoever lost a lease without knowing does no harm."""
    row = intake.get(services.database, intake_id)
    take_back(services.layout, row.fingerprint)
    try:
        with locked(services.layout.originals / row.fingerprint):
            yield intake.get(services.database, intake_id)
    except BlockingIOError:
        raise Transient("another process is still at work on this slide") from None
    except FileNotFoundError as error:
        raise Transient("the original is not in the store") from error


@contextmanager
def disk_errors() -> Iterator[None]:
    """The disk's words become ours; a parser that seeks nowhere read nonsense in the file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full; free some space and try again") from error
        if error.errno in (None, errno.EINVAL, errno.EOVERFLOW):
            raise Damaged("the file points where nothing can be read") from error
        raise Transient(f"the disk did not answer: {error.strerror}") from error
