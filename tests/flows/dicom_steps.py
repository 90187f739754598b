"""Procedure steps over DIMSE: pynetdicom's SCU makes, claims, changes and watches them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from pydicom.dataset import Dataset
from pynetdicom.association import Association

from tests.flows import node_process

PUSH, WATCH, PULL, EVENT, QUERY = (f"1.2.840.10008.5.1.4.34.6.{number}" for number in range(1, 6))
ALL, MATCHING = "1.2.840.10008.5.1.4.34.5", "1.2.840.10008.5.1.4.34.5.1"


def calling(port: int, title: str = "NORTH", *classes: str) -> AbstractContextManager[Association]:
    """pynetdicom as an SCU of these classes; by default of pull, which performs."""
    return node_process.calling(port, title, dict.fromkeys(classes or (PULL,)))


def status(answer: Any) -> int:  # noqa: ANN401
    return int(answer[0].Status)


def create(port: int, dataset: Dataset, uid: str, title: str = "NORTH") -> int:
    with calling(port, title, PUSH) as association:
        return status(association.send_n_create(dataset, PUSH, uid))


def turn(association: Association, uid: str, state: str, key: str) -> int:
    wanted = Dataset()
    wanted.ProcedureStepState, wanted.TransactionUID = state, key
    return status(association.send_n_action(wanted, 1, PUSH, uid))


def change(association: Association, uid: str, dataset: Dataset, key: str) -> int:
    whole = Dataset()
    whole.update(dataset)
    whole.TransactionUID = key
    return status(association.send_n_set(whole, PUSH, uid))


def subscription(aet: str, *, lock: bool = False, **keys: object) -> Dataset:
    made = Dataset()
    made.ReceivingAE, made.DeletionLock = aet, "TRUE" if lock else "FALSE"
    for name, value in keys.items():
        setattr(made, name, value)
    return made


def subscribe(
    port: int, uid: str, information: Dataset, kind: int = 3, title: str = "NORTH"
) -> int:
    with calling(port, title, WATCH) as watcher:
        return status(watcher.send_n_action(information, kind, PUSH, uid))
