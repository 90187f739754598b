"""What the parts of the node that are asked something share: reading requests, telling statuses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

from pydicom.dataset import Dataset
from pynetdicom import evt

from flows.dicom_reach import Cancelled
from processing.dicom.finding import Level
from processing.dicom.identifier import read_identifier
from storage.errors import Malformed, SvartidError, Transient

SUCCESS, PENDING, CANCELLED = 0x0000, 0xFF00, 0xFE00
NO_RESOURCES, NOT_UNDERSTOOD, FAILED = 0xA700, 0xA900, 0xC001
_MOST_COMMENT = 64
Response = tuple[int | Dataset, Dataset | None]
"""A status, and the data set that goes with it."""


def read_request(identifier: BytesIO | None, syntax: str) -> Dataset:
    """The data set of a request. Errors: Malformed."""
    if identifier is None:
        raise Malformed("there is no identifier")
    return read_identifier(identifier.getvalue(), syntax)


def level_of(asked: Dataset, *, of_patients: bool) -> Level:
    """The level a request is about; the study root has no patients. Errors: Malformed."""
    name = str(asked.get("QueryRetrieveLevel") or "").strip()
    if name not in Level.__members__ or (name == "PATIENT" and not of_patients):
        raise Malformed("the identifier has no level of this model")
    return Level[name]


def told(code: int, comment: str) -> Dataset:
    """A status with a word to it."""
    made = Dataset()
    made.Status, made.ErrorComment = code, comment[:_MOST_COMMENT]
    return made


def pending(event: evt.Event, answers: Iterable[Dataset]) -> Iterator[Response]:
    """Answers to a query, as long as the asker wants them. Errors: Cancelled."""
    for answer in answers:
        if event.is_cancelled:
            raise Cancelled
        yield PENDING, answer


def answered(responses: Iterator[Response], failed: str) -> Iterator[Response]:
    """Responses to a query; an error among them ends them with its status."""
    try:
        yield from responses
    except Malformed as error:
        yield told(NOT_UNDERSTOOD, str(error)), None
    except Cancelled:
        yield CANCELLED, None
    except Transient:
        yield told(NO_RESOURCES, "try again later"), None
    except SvartidError:
        yield told(FAILED, failed), None
