"""C-FIND, which pynetdicom gives to one handler: to the part whose class it is."""

from __future__ import annotations

from collections.abc import Iterator

from pydicom.dataset import Dataset
from pynetdicom import evt

from flows import dicom_query, dicom_worklist
from flows.dicom_context import Handler, Node, Offer
from flows.dicom_query import Query
from flows.dicom_worklist import MODALITY_WORKLIST, Worklist


def contexts() -> list[Offer]:
    """Of all parts that are asked in this way."""
    return dicom_query.contexts() + dicom_worklist.contexts()


def handlers(node: Node) -> list[Handler]:
    """For pynetdicom."""
    query, worklist = Query(node), Worklist(node)

    def find(event: evt.Event) -> Iterator[tuple[int | Dataset, Dataset | None]]:
        of_work = event.context.abstract_syntax == MODALITY_WORKLIST
        return (worklist if of_work else query).find(event)

    return [(evt.EVT_C_FIND, find)]
