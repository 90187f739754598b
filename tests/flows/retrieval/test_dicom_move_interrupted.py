"""A C-MOVE that is called off, hung up on, slow, or meets an object that is lost."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from pynetdicom import AE
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelMove as PatientMove,  # type: ignore[attr-defined]
)
from pynetdicom.sop_class import (
    StudyRootQueryRetrieveInformationModelMove as StudyMove,  # type: ignore[attr-defined]
)

from flows.dicom_export import opener_of
from flows.dicom_sending import send
from processing.dicom.instance import Instance
from processing.dicom.opening import Opener
from storage import imaging
from storage.errors import NotFound
from storage.records.imaging import SeriesEntry, Wanted
from storage.records.people import SVARTID
from tests.flows.dicom_nodes import (
    HOST,
    SOEREN,
    Storescp,
)
from tests.flows.retrieval.requesters import CT, MIX, RADIOLOGY, Department, keys, move


def test_a_move_can_be_cancelled(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = send

    def slowly(*words: Any, **more: Any) -> Any:  # noqa: ANN401
        time.sleep(0.2)
        return slow(*words, **more)

    monkeypatch.setattr("flows.dicom_move.send", slowly)
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        told = move(department, keys("STUDY", StudyInstanceUID=MIX), cancel_after=1)
        assert told.status == 0xFE00
        done, failed, _ = told.counts
        assert 1 <= done < 5
        assert failed == 0
        assert done + told.remaining[-1] == 5
        assert len(there.files()) == done


def test_a_requester_that_hangs_up_ends_the_move(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, began = send, threading.Event()

    def slowly(*words: Any, **more: Any) -> Any:  # noqa: ANN401
        began.set()
        time.sleep(0.3)
        return slow(*words, **more)

    monkeypatch.setattr("flows.dicom_move.send", slowly)
    entity = AE("PACS")
    entity.add_requested_context(StudyMove)
    association = entity.associate(HOST, department.port, ae_title="SVARTID")
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        asked = keys("STUDY", StudyInstanceUID=MIX)
        answers = association.send_c_move(asked, "PACS", StudyMove)
        threading.Thread(target=lambda: list(answers), daemon=True).start()
        assert began.wait(10)
        association.abort()
        time.sleep(1.5)
        assert len(there.files()) < 5
    assert move(department, keys("STUDY", StudyInstanceUID="1.2.3.999")).status == 0


def test_a_broken_object_fails_alone(department: Department, tmp_path: Path) -> None:
    opener = opener_of(department.services)
    (entry,) = imaging.series(
        department.services.database, SVARTID, Wanted(series_uids=(f"{CT}.1",))
    )
    lost: Any = opener.instances(entry)[0]
    kept = lost.path.read_bytes()
    lost.path.unlink()
    try:
        with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
            told = move(department, keys("STUDY", StudyInstanceUID=CT))
            assert (told.status, told.counts) == (0xB000, (1, 1, 0))
            assert told.failed == [lost.sop_uid]
            assert told.comment == "1 of 1 failed: store damaged"
            assert len(there.files()) == 1
    finally:
        lost.path.write_bytes(kept)


def test_a_slide_that_is_lost_stops_no_other(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opens = Opener.instances

    def partly(self: Opener, entry: SeriesEntry) -> list[Instance]:
        if not entry.received:
            raise NotFound("gone")
        return opens(self, entry)

    monkeypatch.setattr(Opener, "instances", partly)
    asked = keys("PATIENT", PatientID=SOEREN[0])
    with Storescp(tmp_path / "came", ("+xa",), department.destination) as there:
        told = move(department, asked, model=PatientMove)
        assert (told.status, told.counts) == (0xB000, (7, 1, 0))
        assert there.files().keys() == RADIOLOGY.keys()


def test_while_one_object_takes_long_the_asker_is_told_so(
    department: Department, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Orthanc gives up on a node that says nothing for ten seconds."""
    slow = send

    def slowly(*words: Any, **more: Any) -> Any:  # noqa: ANN401
        time.sleep(2)
        return slow(*words, **more)

    monkeypatch.setattr("flows.dicom_move.send", slowly)
    monkeypatch.setattr("flows.dicom_retrieve._STILL_HERE", 0.1)
    with Storescp(tmp_path / "came", ("+xa",), department.destination):
        asked = keys("IMAGE", StudyInstanceUID=CT, SOPInstanceUID=f"{CT}.1.1")
        told = move(department, asked)
    assert told.status == 0
    assert told.remaining.count(1) >= 3
