"""Reading, asking and signing against a model of §7.3: whatever is told in whatever order."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from storage.cases import Outcome
from storage.errors import Illegal
from storage.records import case_events as facts
from storage.records import reading_events as reading
from storage.records.case_events import CaseFact
from storage.records.case_words import AssignedBy, CaseState, ReportKind, Severity
from storage.records.milestones import Distance
from tests.databases import fresh_database
from tests.storage.histories import CODES, FINAL, Story, made_anew, rows
from tests.storage.test_case_machine import run_on

SUPPLEMENT, CORRECTED = ReportKind.SUPPLEMENTARY, ReportKind.CORRECTED
WRONG_CODES = [CODES[:1], CODES[1:], (), (*CODES, "T2800"), ("T28000", "F80703")]
ASKED = {
    "flag:must": Severity.MUST_SEE,
    "flag:note": Severity.NOTE,
    "consultation:await": True,
    "consultation:late": False,
}
"""What may be asked about a case, and whether it is of the kind that stands in the way."""


@dataclass
class Known:
    """What the model knows."""

    assignee: str = ""
    opened: bool = False
    closed: bool = False
    asked: dict[str, bool] = field(default_factory=dict)
    """What was asked, and whether that is open."""
    reports: list[tuple[ReportKind, bool]] = field(default_factory=list)
    """Kind, and whether it has reached the requester."""

    @property
    def in_the_way(self) -> set[str]:
        hard = ("flag:must", "consultation:await")
        return {key for key, is_open in self.asked.items() if is_open and key in hard}

    @property
    def answered(self) -> bool:
        return any(sent for kind, sent in self.reports if kind is FINAL)


class ReadingMachine(RuleBasedStateMachine):
    """Each fact is told to the case and to the model; after each they agree."""

    story: Story

    def __init__(self) -> None:
        super().__init__()
        self.told = Story(self.story.database, self.story.patient)
        self.told.tell_all(self.told.until_ready("x"))
        self.known, self.minute = Known(), itertools.count(400)

    def tell(self, fact: CaseFact, expected: bool) -> bool:
        """What the model expects is what becomes of it; what is refused changes nothing."""
        before = self.told.case
        try:
            done = self.told.tell(fact, next(self.minute)).outcome is Outcome.RECORDED
        except Illegal:
            done = False
        assert done == expected, (fact, self.known)
        assert done or self.told.case == before
        return done

    @initialize(far=st.sampled_from(["opened", "answered", "ready"]))
    def begin(self, far: str) -> None:
        if far == "ready":
            return
        self.assign("kir", claim=True)
        self.known.opened |= self.tell(reading.CaseOpened("kir"), True)
        if far == "answered":
            assert self.tell(reading.ReportSigned(FINAL, "Fund", CODES), True)
            self.known.reports.append((FINAL, False))
            self.distribute(1)

    @rule(data=st.data(), who=st.sampled_from(["kir", "kir", "ebu"]))
    def step(self, data: st.DataObject, who: str) -> None:
        known = self.known
        steps = [
            "sign",
            "sign",
            "ask",
            "ask",
            "distribute",
            "distribute",
            "assign",
            "open",
            "close",
        ]
        if not known.opened:
            steps = ["assign", "open", *steps]
        what = data.draw(st.sampled_from(steps))
        if what == "ask":
            self.ask(data.draw(st.sampled_from([*ASKED])))
        elif what == "sign":
            self.sign(data)
        elif what == "distribute":
            self.distribute(data.draw(st.sampled_from([len(known.reports), 1, 2, 4])))
        elif what == "assign":
            self.assign(who, claim=data.draw(st.booleans()))
        elif what == "open":
            fits = not known.opened and known.assignee == who and not known.closed
            known.opened |= self.tell(reading.CaseOpened(who), fits)
        elif data.draw(st.sampled_from([False, False, False, True])):
            fits = not known.closed and not known.reports
            known.closed |= self.tell(facts.CaseCancelled("bortfaldet"), fits)

    def assign(self, who: str, *, claim: bool) -> None:
        known = self.known
        fits = known.assignee != who and not known.closed and not (claim and known.assignee)
        by = AssignedBy.CLAIM if claim else AssignedBy.PERSON
        if self.tell(reading.CaseAssigned(who, by), fits):
            known.assignee = who

    def ask(self, key: str) -> None:
        """Ask it, then have it answered, then nothing more can come of it."""
        kind, known, name = ASKED[key], self.known, key.partition(":")[2]
        fact: CaseFact
        if isinstance(kind, Severity):
            fact = reading.FlagRaised(name, kind, "se her")
            answer: CaseFact = reading.FlagClosed(name, "set")
        else:
            distance = Distance.INTERNAL
            fact = reading.ConsultationRequested(
                name, distance, "mnm", "?", await_before_signing=kind
            )
            answer = reading.ConsultationAnswered(name, "mnm", "ja")
        if key not in known.asked:
            if self.tell(fact, isinstance(kind, Severity) or not known.closed):
                known.asked[key] = True
        elif self.tell(answer, known.asked[key]):
            known.asked[key] = False

    def sign(self, data: st.DataObject) -> None:
        known, way = self.known, tuple(sorted(self.known.in_the_way))
        likely = [SUPPLEMENT, CORRECTED] if known.answered else [FINAL, FINAL]
        kind = data.draw(st.sampled_from([*likely * 4, *ReportKind]))
        codes = data.draw(st.sampled_from([CODES, CODES, CODES, *WRONG_CODES]))
        names = data.draw(st.sampled_from([way, way, way[1:], ()]))
        reason = data.draw(st.sampled_from(["haster", "haster", " "]))
        text = data.draw(st.sampled_from([f"Fund {next(self.minute)}"] * 4 + [" "]))
        signed = any(at is FINAL for at, _ in known.reports)
        fits = known.answered if kind in (SUPPLEMENT, CORRECTED) else kind is FINAL and not signed
        fits = fits and known.opened and not known.closed and codes == CODES and bool(text.strip())
        fits = fits and set(names) == set(way) and (not names or bool(reason.strip()))
        if self.tell(reading.ReportSigned(kind, text, codes, names, reason), fits):
            known.reports.append((kind, False))

    def distribute(self, version: int) -> None:
        reports = self.known.reports
        known = 0 < version <= len(reports)
        kind = reports[version - 1][0] if known else FINAL
        fits = known and not reports[version - 1][1]
        if self.tell(reading.ReportDistributed(version, kind), fits):
            reports[version - 1] = (kind, True)

    @invariant()
    def agrees(self) -> None:
        known, case = self.known, self.told.case
        assert (case.assignee, bool(case.opened_at)) == (known.assignee, known.opened)
        versions = list(range(1, len(known.reports) + 1))
        assert [at.version for at in case.reports] == versions
        assert [(at.kind, bool(at.distributed_at)) for at in case.reports] == known.reports
        assert self.told.state is self.state()

    def state(self) -> CaseState:
        known = self.known
        if known.closed:
            return CaseState.CANCELLED
        if known.answered:
            waiting = [kind for kind, sent in known.reports if not sent]
            if not waiting:
                return CaseState.DISTRIBUTED
            corrected = waiting[0] is CORRECTED
            return CaseState.CORRECTING if corrected else CaseState.SUPPLEMENTING
        if known.reports:
            return CaseState.SIGNED
        if not known.opened:
            return CaseState.READY
        awaited = known.asked.get("consultation:await")
        return CaseState.AWAITING if awaited else CaseState.READING

    def teardown(self) -> None:
        before = rows(self.told.database, self.told.name)
        assert made_anew(self.told.database, self.told.name) == before


def test_sqlite_agrees_with_the_model(tmp_path: Path) -> None:
    run_on(f"sqlite:///{tmp_path / 'svartid.sqlite'}", ReadingMachine, 15)


def test_postgresql_agrees_with_the_model(postgres: str) -> None:
    with fresh_database(postgres) as url:
        run_on(url, ReadingMachine, 15)
