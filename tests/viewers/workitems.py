"""UPS-RS as a client says it: make a step, claim it, say what became of it, find it."""

from __future__ import annotations

import json
from typing import Any

from pydicom.dataset import Dataset
from starlette.testclient import TestClient

from storage import scanning
from storage.records.slide_events import SlideStained
from tests.viewers.department import UNIT, Department

ROOT = "/dicom-web/workitems"
JSON = {"Content-Type": "application/dicom+json"}
UID, TRANSACTION = "00080018", "00081195"


def body(dataset: Dataset) -> dict[str, Any]:
    return {"content": json.dumps([dataset.to_json_dict()]), "headers": JSON}


def create(client: TestClient, dataset: Dataset, uid: str = "") -> str:
    answer = client.post(ROOT + (f"?{uid}" if uid else ""), **body(dataset))
    assert answer.status_code == 201, answer.text
    return str(answer.headers["Location"].rpartition("/")[2])


def turn(client: TestClient, uid: str, state: str, transaction: str) -> Any:  # noqa: ANN401
    wanted = Dataset()
    wanted.ProcedureStepState = state
    if transaction:
        wanted.TransactionUID = transaction
    return client.put(f"{ROOT}/{uid}/state", **body(wanted))


def change(client: TestClient, uid: str, dataset: Dataset, transaction: str = "") -> Any:  # noqa: ANN401
    query = f"?transaction-uid={transaction}" if transaction else ""
    return client.post(f"{ROOT}/{uid}{query}", **body(dataset))


def get(client: TestClient, uid: str) -> Dataset:
    answer = client.get(f"{ROOT}/{uid}", headers={"Accept": "application/dicom+json"})
    assert answer.status_code == 200, answer.text
    assert TRANSACTION not in answer.text
    return Dataset.from_json(answer.json()[0])


def found(client: TestClient, query: str) -> list[str]:
    answer = client.get(f"{ROOT}?{query}")
    return [at[UID]["Value"][0] for at in answer.json()] if answer.status_code == 200 else []


def scan(department: Department, unit: str = UNIT) -> tuple[str, str]:
    """A case whose first glass waits to be scanned; its barcode and the accession."""
    accession = department.case(slides=1, readable=0, unit=unit)
    barcode = f"{accession}-A1-1"
    department.say(accession, SlideStained(barcode))
    scanning.queue_scan(department.database, barcode, "tina")
    return barcode, accession


def step_of(client: TestClient, barcode: str, state: str = "SCHEDULED") -> str:
    (uid,) = found(client, f"ProcedureStepState={state}&ProcedureStepLabel=Scan {barcode}")
    return uid


def refusal(answer: Any) -> tuple[int, str]:  # noqa: ANN401
    return answer.status_code, answer.json()["error"]


def cancel(client: TestClient, uid: str, reason: str = "") -> Any:  # noqa: ANN401
    asked = Dataset()
    asked.ReasonForCancellation = reason
    return client.post(f"{ROOT}/{uid}/cancelrequest", **body(asked))
