"""The two stages of reading a slide in; plain functions that run without Prefect.

Each can be called again at any point: what is done is found done.
"""

from __future__ import annotations

import errno
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from flows.originals import locked, original_path, set_aside, take_back
from flows.services import Services
from processing.channels_seen import channels_seen
from processing.pyramid import Progress, copy_source_levels, derive_levels
from processing.readers import SlideReader, open_slide
from processing.tiling import Sourced, plan_pyramid
from storage import intake, leases, ngff
from storage.errors import Damaged, NoSpace, SvartidError, Transient
from storage.pyramids import ICC_FILE, associated_file
from storage.records.intake import READABLE, Intake, IntakeState
from storage.records.slide import AssociatedImage, LevelOrigin, Notice, PyramidRecord

_EVERY = 0.4
"""Seconds between two notes of progress in the database."""


def read_in(services: Services, intake_id: str, progress: Progress | None = None) -> None:
    """Phase one: the scanner's levels become a published pyramid, the slide is readable."""
    tell = progress or _noting(services, intake_id)
    with _alone(services, intake_id) as row, _disk_errors():
        if row.state in READABLE:
            return
        with open_slide(original_path(services.layout, row.fingerprint)) as reader:
            channels = channels_seen(reader)
            sourced = plan_pyramid(reader.levels, lossless=row.lossless, channels=channels)
            draft = services.pyramids.create(row.slide_id)
            written = copy_source_levels(reader, sourced, draft, tell)
            images = reader.associated_images()
            record = describe(row.fingerprint, reader, sourced, images, faulty=written.faulty)
            draft.add_associated(images)
            draft.add_icc_profile(reader.icc_profile)
            services.pyramids.publish(draft, record)
        intake.mark_ready(services.database, intake_id, record)


def complete(services: Services, intake_id: str, progress: Progress | None = None) -> None:
    """Phase two: the missing levels, published at once."""
    with _alone(services, intake_id) as row, _disk_errors():
        if row.state is IntakeState.COMPLETE:
            return
        record, present = services.pyramids.describe(row.slide_id)
        notices = list[str]()
        if len(present) < len(record.plan.levels):
            folder = services.pyramids.path(row.slide_id)
            draft = services.pyramids.resume_levels(row.slide_id)
            written = derive_levels(
                record.plan,
                lambda level, row, column, channel: (
                    folder / ngff.shard_key(level, row, column, channel)
                ),
                draft,
                progress or _noting(services, intake_id),
            )
            if written.faulty:
                notices.append(Notice.DAMAGED_TILES.value)
            services.pyramids.publish_levels(draft, record)
        intake.mark_complete(services.database, intake_id, notices)
        services.pyramids.discard(row.slide_id)
        shutil.rmtree(services.layout.made / row.slide_id, ignore_errors=True)


def give_up(services: Services, intake_id: str, error: SvartidError) -> IntakeState:
    """End an intake with its reason: quarantine when the file is at fault, failed otherwise.

    A slide that can be read stays readable, its original where it is.
    """
    row = intake.get(services.database, intake_id)
    services.pyramids.discard(row.slide_id)
    state = intake.mark_ended(services.database, intake_id, error)
    if state is IntakeState.QUARANTINED:
        set_aside(services.layout, row.fingerprint)
    return state


def describe(
    fingerprint: str,
    reader: SlideReader,
    sourced: Sourced,
    images: Sequence[AssociatedImage],
    *,
    faulty: int,
) -> PyramidRecord:
    """What a pyramid says about itself, all of it out of the original."""
    return PyramidRecord(
        slide_id=intake.slide_id_of(fingerprint),
        fingerprint=fingerprint,
        plan=sourced.plan,
        metadata=replace(reader.metadata, notices=_notices(reader, sourced, faulty)),
        associated={image.name: associated_file(image) for image in images},
        icc_profile=ICC_FILE if reader.icc_profile is not None else None,
    )


STAGES: dict[IntakeState, Callable[[Services, str, Progress | None], None]] = {
    IntakeState.READING: read_in,
    IntakeState.COMPLETING: complete,
}


def _notices(reader: SlideReader, sourced: Sourced, faulty: int) -> tuple[Notice, ...]:
    notices = list(reader.metadata.notices)
    if sourced.plan.levels[0].origin is LevelOrigin.ENCODED and reader.channels is None:
        notices.append(Notice.ENCODED_ONCE)
    if sourced.ignored:
        notices.append(Notice.LEVEL_IGNORED)
    if faulty:
        notices.append(Notice.MISSING_TILES)
    return tuple(notices)


def _noting(services: Services, intake_id: str) -> Progress:
    """Progress into the intake row, not more often than screens look."""
    last = 0.0

    def note(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            leases.progress(services.database, intake_id, done, total)

    return note


@contextmanager
def _alone(services: Services, intake_id: str) -> Iterator[Intake]:
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
def _disk_errors() -> Iterator[None]:
    """The disk's words become ours; a parser that seeks nowhere read nonsense in the file."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoSpace("the disk is full; free some space and try again") from error
        if error.errno in (None, errno.EINVAL, errno.EOVERFLOW):
            raise Damaged("the file points where nothing can be read") from error
        raise Transient(f"the disk did not answer: {error.strerror}") from error
