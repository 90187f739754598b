"""UIDs that svartid gives: a random root for each slide and each case, and what hangs below.

Below a slide's root R (its SeriesInstanceUID): R.1.<level> the levels, R.2.<n> the associated
images, R.3 the frame of reference, R.4 the dimension organisation, R.5 the study while the slide
has no case, R.6 the pyramid, R.9.<n> annotations. A case's root is its StudyInstanceUID; C.1.<n>
are specimens. Source: PS3.5 B.2 (UUID derived UIDs, 2.25).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from storage.records.imaging import ASSOCIATED

_OURS = re.compile(r"(2\.25\.\d+)\.([12])\.(\d{1,3})")


class InstanceKey(NamedTuple):
    """What one of our SOPInstanceUIDs stands for."""

    series_uid: str
    level: int | None
    associated: str | None


def level_uid(series_uid: str, level: int) -> str:
    """SOPInstanceUID of a level."""
    return f"{series_uid}.1.{level}"


def associated_uid(series_uid: str, name: str) -> str:
    """SOPInstanceUID of the label, overview or thumbnail."""
    return f"{series_uid}.2.{ASSOCIATED.index(name) + 1}"


def loose_study_uid(series_uid: str) -> str:
    """StudyInstanceUID of a slide without a case."""
    return f"{series_uid}.5"


def parse_instance(sop_uid: str) -> InstanceKey | None:
    """What one of our SOPInstanceUIDs stands for; None when it is not ours."""
    found = _OURS.fullmatch(sop_uid)
    if found is None:
        return None
    root, kind, number = found[1], found[2], int(found[3])
    if kind == "1":
        return InstanceKey(root, number, None)
    if 1 <= number <= len(ASSOCIATED):
        return InstanceKey(root, None, ASSOCIATED[number - 1])
    return None
