"""Reports leave: written whole into the receiver's folder of the outbox, then recorded as there.

The file comes first and has the message's own name, so whoever dies in between writes the same
file again; the record is one transaction, so it is distributed once. What cannot be written waits,
longer each time. Other channels (HL7, FHIR) will stand beside this one.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from pathlib import Path

from storage import cases, outbound, patients
from storage.access_log import log_access
from storage.case_log import Said
from storage.database import Database
from storage.errors import Illegal, NotFound
from storage.exchange.report_document import Document, as_json, as_text, document_of
from storage.layout import PRIVATE
from storage.outbound import Message
from storage.records.access import Purpose, Relation, decide
from storage.records.case_words import ReportKind
from storage.records.people import SVARTID, Right
from storage.records.reading_events import ReportDistributed

REPORT = "report"
_SOURCE = "delivery"
_UNSAFE = re.compile(r"[^0-9A-Za-zÆØÅæøå_-]+")
_LONGEST = 60
_NOBODY = "unaddressed"
_REASONS = {
    errno.ENOSPC: "no_space", errno.EDQUOT: "no_space", errno.EACCES: "no_rights",
    errno.EPERM: "no_rights", errno.EROFS: "no_rights",
}  # fmt: skip


def due(database: Database) -> list[Message]:
    """Messages whose time has come and that this channel carries."""
    return outbound.due(database, kind=REPORT)


def deliver(database: Database, outbox: Path, message: Message) -> str:
    """`delivered`, `known`, or why it was put off. Errors: Transient."""
    try:
        document = _document(database, message)
        _write(outbox / folder_of(message.destination), message.message_id, document)
        return _record(database, message, document)
    except NotFound:
        reason = "report_unknown"
    except Illegal as error:
        reason = error.reason
    except (KeyError, TypeError, ValueError):
        reason = "message_malformed"
    except OSError as error:
        reason = _REASONS.get(error.errno or 0, "disk")
    outbound.put_off(database, message, reason)
    return reason


def folder_of(destination: str) -> str:
    """A receiver's folder: letters, digits, _ and -; two receivers never share one."""
    plain = _UNSAFE.sub("_", destination).strip("_")[:_LONGEST] or _NOBODY
    if plain == destination:
        return plain
    return f"{plain}-{hashlib.sha256(destination.encode()).hexdigest()[:10]}"


def _document(database: Database, message: Message) -> Document:
    case = cases.get(database, message.accession or "")
    basis = decide(SVARTID, Right.READ_CASES, Relation(), Purpose.OPERATION).basis
    assert basis is not None  # noqa: S101 - the rule lets svartid deliver; a test holds it
    seen = {"accession": case.accession, "patient_id": case.patient_id}
    log_access(database, SVARTID, "deliver", **seen, basis=basis.value, purpose=Purpose.OPERATION)
    whose = patients.get(database, case.patient_id)
    kind, version = ReportKind(message.body["kind"]), int(message.body["version"])
    document = document_of(case, (whose.identifier, whose.name), kind, version)
    if document is None:
        raise NotFound("the case has no such report")
    return document


def _write(folder: Path, name: str, document: Document) -> None:
    """Text and JSON, each whole or not at all; the JSON last: where it is, both are."""
    folder.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
    fields = json.dumps(as_json(document), ensure_ascii=False, indent=1)
    for suffix, text in ((".txt", as_text(document)), (".json", fields + "\n")):
        part = folder / f"{name}{suffix}.part"
        try:
            descriptor = os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(text.encode())
                file.flush()
                os.fsync(file.fileno())
            part.rename(folder / f"{name}{suffix}")
        finally:
            part.unlink(missing_ok=True)
    for place in (folder, folder.parent):
        descriptor = os.open(place, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _record(database: Database, message: Message, document: Document) -> str:
    """It is there: the message is sent and, if signed, distributed; both or neither."""
    with database.transaction() as connection:
        if not outbound.mark_sent(connection, message.message_id):
            return "known"
        if document.kind is not ReportKind.PRELIMINARY:
            fact = ReportDistributed(document.version, document.kind, message.message_id)
            said = Said(cases.SYSTEM, _SOURCE, key=f"distributed:{message.message_id}")
            cases.record_in(connection, document.accession, fact, said)
    return "delivered"
