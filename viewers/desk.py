"""The one desk all reading goes over: may this person see it, on what basis, and the line of it.

Tiles, pages, the API and the streams ask here; nothing about a slide or a case is shown before
the access log has its line.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass

from storage import relations
from storage.database import Database
from storage.dicom_uids import slide_of
from storage.received_series import concern_of_received
from storage.records.access import Basis, decide
from storage.records.people import Principal, Right
from storage.relations import Concern
from viewers.access import Forbidden
from viewers.audit import Audit, Looked

_FRESH = 5.0
"""Seconds a decision is good for: whoever loses a case loses it within them."""
_MOST = 50_000


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission: what it rests on, and the case it is about, if any."""

    basis: Basis
    accession: str | None = None
    patient_id: str | None = None


class Desk:
    """Decides and logs; decisions about slides are remembered for some seconds."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit = database, audit
        self._known: OrderedDict[tuple[str, Right, str], tuple[float, Grant]] = OrderedDict()

    def is_open(self, principal: Principal, right: Right, slide_id: str, action: str) -> bool:
        """True when the decision and its line are both there; costs two look-ups."""
        known = self._known.get((principal.session, right, slide_id))
        if known is None or time.monotonic() - known[0] >= _FRESH:
            return False
        return self._audit.is_fresh(principal, action, slide_id)

    def slide(self, principal: Principal, right: Right, slide_id: str, action: str) -> Grant:
        """Let somebody at a slide, or raise Forbidden; the line is written first."""
        key = (principal.session, right, slide_id)
        known = self._known.get(key)
        if known is None or time.monotonic() - known[0] >= _FRESH:
            concern = relations.concern_of_slide(self._database, principal, slide_id)
            known = self._remember(key, _grant(principal, right, concern))
        self._write(principal, action, known[1], slide_id)
        return known[1]

    def series(self, principal: Principal, right: Right, series_uid: str, action: str) -> Grant:
        """Let somebody at a DICOM series, or raise Forbidden: a slide's, or one of a patient.

        Errors: NotFound.
        """
        slide_id = slide_of(self._database, series_uid)
        if slide_id is not None:
            return self.slide(principal, right, slide_id, action)
        key = (principal.session, right, series_uid)
        known = self._known.get(key)
        if known is None or time.monotonic() - known[0] >= _FRESH:
            concern = concern_of_received(self._database, principal, series_uid)
            known = self._remember(key, _grant(principal, right, concern))
        self._write(principal, action, known[1], None)
        return known[1]

    def case(self, principal: Principal, right: Right, accession: str, action: str) -> Grant:
        """Let somebody at a case, or raise Forbidden. Errors: NotFound."""
        concern = relations.concern_of_case(self._database, principal, accession)
        grant = _grant(principal, right, concern)
        self._write(principal, action, grant, None)
        return grant

    def glass(self, principal: Principal, right: Right, barcode: str, action: str) -> Grant:
        """Let somebody at an expected glass, or raise Forbidden. Errors: NotFound."""
        concern = relations.concern_of_barcode(self._database, principal, barcode)
        grant = _grant(principal, right, concern)
        self._write(principal, action, grant, None)
        return grant

    def listing(self, principal: Principal, action: str) -> None:
        """A list is looked at; what is on it is within reach already."""
        self._audit.log(principal, Looked(action))

    def listed(self, principal: Principal, action: str, grants: list[tuple[str, str]]) -> None:
        """A list that names patients: one line each (accession, patient id), folded like tiles."""
        lines = [Looked(action, None, case, patient_id, "unit") for case, patient_id in grants]
        self._audit.log_all(principal, lines)

    def _remember(self, key: tuple[str, Right, str], grant: Grant) -> tuple[float, Grant]:
        known = self._known[key] = (time.monotonic(), grant)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return known

    def _write(self, principal: Principal, action: str, grant: Grant, slide_id: str | None) -> None:
        looked = Looked(action, slide_id, grant.accession, grant.patient_id, grant.basis.value)
        self._audit.log(principal, looked)


def _grant(principal: Principal, right: Right, concern: Concern | None) -> Grant:
    relation = concern.relation if concern else None
    decision = decide(principal, right, relation)
    if decision.basis is None:
        raise Forbidden(principal)
    if concern is None:
        return Grant(decision.basis)
    return Grant(decision.basis, concern.accession, concern.patient_id)
