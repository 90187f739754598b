"""Findings that make a case more urgent, or somebody else's subject, are told to the case.

By the rules of the laboratory's policy; there are none until it writes some. What is told is
judged like any other fact, once a run, and what the case refuses is not told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flows.services import Services
from processing.triage import Proposal, Standing, proposals
from storage import cases, events, news, quality, triage
from storage.case_log import Said
from storage.cases import Outcome
from storage.database import Database
from storage.errors import Illegal, NotFound
from storage.records.ai_rules import is_ai
from storage.records.case_events import Happened, PriorityChanged
from storage.records.reading_events import FlagRaised

_LOG = logging.getLogger("svartid.casework")
_KINDS = ("QualityAssessed", "ImageAvailable")
_SOURCE = "triage"
_BEFORE = 200
"""Runs that are looked at again after a start: what came while nobody looked."""


@dataclass(slots=True)
class Triage:
    """The duty: follows runs of checks, and images that have found their case."""

    services: Services
    _seen: int = -1

    def __call__(self) -> int:
        """One look; how many facts were told."""
        database = self.services.database
        if self._seen < 0:
            self._seen = events.last_id(database)
            earlier = events.of_kinds(database, ["QualityAssessed"], _BEFORE)
            return self._tell([at.subject.partition(":")[2] for at in earlier])
        told = news.since(database, self._seen, _KINDS)
        images = list(told.ids("QualityAssessed"))
        for accession in dict.fromkeys(told.ids("ImageAvailable")):
            images += triage.images_of(database, accession)
        done = self._tell(images)
        self._seen = told.seen
        return done

    def _tell(self, images: list[str]) -> int:
        return sum(tell(self.services.database, at) for at in dict.fromkeys(images))


def tell(database: Database, slide_id: str) -> int:
    """Tell the image's case what its newest run means for its turn; how many facts were new."""
    place, run = triage.place_of(database, slide_id), quality.latest(database, slide_id)
    if place is None or run is None:
        return 0
    report = run.report
    policy = quality.policy_for(database, report.scanner, report.stain)
    if policy is None or not policy.triage:
        return 0
    accession, barcode = place
    try:
        case = cases.get(database, accession)
    except NotFound:
        return 0
    standing = Standing(case.priority, case.subspecialty, barcode)
    found = proposals(report.findings, policy.triage, standing, report.run_id)
    told = cases.history(database, accession)
    new = [at for at in found if not _was_told(at, told)]
    return sum(_record(database, accession, report.run_id, at) for at in new)


def _was_told(proposal: Proposal, told: Sequence[Happened]) -> bool:
    """Programs have said as much already: if people have decided otherwise, that stands."""
    for at in told:
        if not is_ai(at.actor):
            continue
        match at.fact, proposal.fact:
            case PriorityChanged(priority=before), PriorityChanged(priority=now):
                if before.rank >= now.rank:
                    return True
            case FlagRaised(text=before_text), FlagRaised(text=text):
                if before_text == text:
                    return True
    return False


def _record(database: Database, accession: str, run_id: str, proposal: Proposal) -> bool:
    """Whether the case knows more now."""
    kind = type(proposal.fact).__name__
    about = getattr(proposal.fact, "flag_id", "")
    said = Said(proposal.actor, _SOURCE, key=f"triage:{run_id}:{kind}:{about}")
    try:
        done = cases.record(database, accession, proposal.fact, said)
    except Illegal as error:  # closed meanwhile, or raised by somebody else
        _LOG.info("triage of run %s: %s", run_id, error.reason)
        return False
    return done.outcome is Outcome.RECORDED
