"""The daily look: breaches begin and end once, models and rights fall, references are missed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest
import sqlalchemy as sa

from flows.quality_drift import DriftWatch, Evaluated, evaluate, registered
from flows.services import Services
from storage import drift_log, events, model_tables, models, quality, quality_drift
from storage.case_tables import case_image
from storage.database import Database, now
from storage.errors import Malformed, NotFound
from storage.records.drift import DriftState, MissingReference, Reference, Series
from storage.records.models import (
    Card,
    Manifest,
    Model,
    ModelFormat,
    ModelInput,
)
from storage.records.quality import ModelMode, Policy
from tests.flows.drift_lab import (
    NOW,
    SCANNER,
    STAIN,
    Days,
    calm,
    later,
    live,
)

DAY = timedelta(days=1)
KINDS = ("DriftBegan", "DriftEnded")


@dataclass
class Fallen:
    """Remembers which models were to fall."""

    told: list[tuple[str, str, str]] = field(default_factory=list)
    known: bool = True

    def __call__(self, name: str, version: str, reason: str) -> bool:
        if not self.known:
            raise NotFound("no such model")
        self.told.append((name, version, reason))
        return True


def states(done: Evaluated, series: Series = Series.CASES) -> dict[str, DriftState]:
    return {
        at.figure: at.state
        for kept in done.kept
        if kept.channel.series is series
        for at in kept.standings
    }


def test_nothing_new_is_no_breach_and_is_kept_for_the_screens(quick_database: Database) -> None:
    live(quick_database, calm())
    done = evaluate(quick_database, NOW, Fallen())
    found = states(done)
    assert set(found) == {
        "focus_p50", "focus_p95", "jpeg_quality", "alarm_rate", "alarm:focus.radius",
        "alarm:jpeg.quality",
    }  # fmt: skip
    assert set(found.values()) == {DriftState.STEADY}
    assert (done.began, done.ended, done.fallen) == ((), (), ())
    (kept,) = quality_drift.kept(quick_database)
    assert kept == done.kept[0]
    assert evaluate(quick_database, NOW, Fallen()).kept == done.kept


def test_few_slides_are_learnt_from_and_judge_nothing(quick_database: Database) -> None:
    live(quick_database, Days(NOW - 3 * DAY, 2, 20), Days(NOW - DAY, 1, 15, blur=3.0))
    done = evaluate(quick_database, NOW, Fallen())
    assert set(states(done).values()) == {DriftState.LEARNING}
    assert done.began == ()


def test_a_breach_begins_once_and_ends_once(quick_database: Database) -> None:
    weeks = calm()
    live(quick_database, weeks, later(weeks, days=2, a_day=15, blur=0.62))
    fell = Fallen()
    first = evaluate(quick_database, NOW + 2 * DAY, fell)
    (breach, standing) = next(at for at in first.began if at[0].figure == "focus_p50")
    assert standing.state is DriftState.OUT
    assert standing.since is not None
    assert standing.since > NOW - DAY
    assert breach in quality_drift.breaches(quick_database)
    assert [at[:2] for at in fell.told] == [("focus-mlp", "1.2")]  # one step, for whatever is out
    again = evaluate(quick_database, NOW + 2 * DAY, fell)
    assert (again.began, again.ended, again.fallen) == ((), (), ())
    assert len(fell.told) == 1
    live(quick_database, later(weeks, first=NOW + 2 * DAY, days=12, a_day=15))
    over = evaluate(quick_database, NOW + 14 * DAY, fell)
    assert "focus_p50" in [at.figure for at in over.ended]
    assert quality_drift.breaches(quick_database) == []
    told = [
        at.kind for at in events.of_kinds(quick_database, KINDS) if at.data["figure"] == "focus_p50"
    ]
    assert told == ["DriftEnded", "DriftBegan"]


def test_slides_of_one_case_do_not_make_a_drift(quick_database: Database) -> None:
    """Forty blurred glasses of one day's case are one witness, not forty."""
    weeks = calm()
    odd = later(weeks, days=1, a_day=40, blur=0.9, barcode="C-1")
    ids = live(quick_database, weeks, odd)[-40:]
    from_one_case(quick_database, ids)
    assert states(evaluate(quick_database, NOW + DAY, Fallen()))["focus_p50"] is DriftState.STEADY


def from_one_case(quick_database: Database, slide_ids: list[str]) -> None:
    rows = [
        {"slide_id": at, "barcode": f"C-{number}", "accession": "C", "state": "available"}
        for number, at in enumerate(slide_ids)
    ]
    with quick_database.transaction() as connection:
        connection.execute(sa.insert(case_image), rows)


def test_alarms_that_people_overrule(quick_database: Database) -> None:
    weeks = replace(calm(), alarms=1.0)
    right = {"human_state": "rejected", "human_by": "kir", "human_note": "x", "human_at": NOW}
    wrong = right | {"human_state": "released"}
    live(quick_database, replace(weeks, extra=right), later(weeks, days=10, extra=wrong))
    found = states(evaluate(quick_database, NOW + 10 * DAY, Fallen()))
    assert found["override_rate"] is DriftState.OUT
    assert found["alarm_rate"] is DriftState.STEADY


def test_a_validated_check_loses_its_right_with_the_model(quick_database: Database) -> None:
    weeks = calm()
    policy = Policy("he", 0, (), validated=("focus.radius", "pen.area"), stain=STAIN)
    quality.keep_policy(quick_database, policy, "kir")
    live(quick_database, weeks, later(weeks, days=3, a_day=40, blur=1.0, alarms=0.9))
    done = evaluate(quick_database, NOW + 3 * DAY, Fallen(known=False))
    assert done.fallen == ("check focus.radius",)
    kept = quality.policy_for(quick_database, SCANNER, STAIN)
    assert kept is not None
    assert (kept.version, kept.validated) == (2, ("pen.area",))
    (told,) = events.of_kinds(quick_database, ["CheckRightWithdrawn"])
    assert "drift" in told.data["reason"]
    assert told.data["check"] == "focus.radius"


def test_the_reference_tells_the_scanner_from_the_cases(quick_database: Database) -> None:
    weeks = calm()
    drift_log.add_reference(quick_database, Reference(SCANNER, "REF-*", "kir", NOW))
    glass = replace(weeks, a_day=1, barcode="REF-1", first=weeks.first + timedelta(minutes=50))
    live(quick_database, weeks, glass)
    live(quick_database, later(weeks, days=5, blur=0.8), later(glass, days=5))
    fell = Fallen()
    done = evaluate(quick_database, NOW + 5 * DAY, fell)
    assert states(done)["focus_p50"] is DriftState.OUT
    assert states(done, Series.REFERENCE)["focus_p50"] is DriftState.STEADY
    live(quick_database, later(glass, first=NOW + 5 * DAY, days=6, blur=0.8))
    before = len(fell.told)
    done = evaluate(quick_database, NOW + 11 * DAY, fell)
    assert states(done, Series.REFERENCE)["focus_p50"] is DriftState.OUT
    assert len(fell.told) == before  # it says that the scanner is at fault, not the model


def test_a_missing_reference_is_told_once_a_day_and_only_when_slides_came(
    database: Database,
) -> None:
    weeks = calm()
    drift_log.add_reference(database, Reference(SCANNER, "REF-1", "kir", NOW))
    live(database, weeks, replace(weeks, a_day=1, days=39, barcode="REF-1"))
    day = (NOW - DAY).date().isoformat()
    for _ in range(2):
        evaluate(database, NOW, Fallen())
        assert quality_drift.missing(database) == [MissingReference(SCANNER, day)]
    (told,) = events.of_kinds(database, ["ReferenceMissed"])
    assert told.data == {"day": day}
    live(database, replace(weeks, first=NOW - timedelta(hours=2), a_day=1, days=1, barcode="REF-1"))
    live(database, replace(weeks, first=NOW - timedelta(hours=3), days=1))
    evaluate(database, NOW, Fallen())
    assert quality_drift.missing(database) == []


def test_a_new_baseline_forgets_what_was_before(quick_database: Database) -> None:
    weeks = calm()
    live(quick_database, weeks, later(weeks, days=10, blur=0.9))
    assert states(evaluate(quick_database, NOW + 10 * DAY, Fallen()))["focus_p50"] is DriftState.OUT
    drift_log.begin_anew(quick_database, SCANNER, "*", NOW, ("kir", "new lamp"))
    done = evaluate(quick_database, NOW + 10 * DAY, Fallen())
    assert states(done)["focus_p50"] is DriftState.LEARNING or done.began == ()
    assert "focus_p50" in [at.figure for at in done.ended]
    with pytest.raises(Malformed):
        drift_log.begin_anew(quick_database, SCANNER, "*", NOW, ("kir", " "))


def test_only_the_newest_run_of_a_slide_counts(quick_database: Database) -> None:
    (slide_id,) = live(quick_database, replace(calm(1), a_day=1))
    (channel,) = quality_drift.channels(quick_database, NOW - 7 * DAY)
    (row,) = quality_drift.first_runs(quick_database, channel, 10)
    report = replace(
        quality.get(quick_database, slide_id, row.run_id).report, run_id="again", at=NOW
    )
    quality.enter(quick_database, report, "svartid")
    assert [at.run_id for at in quality_drift.first_runs(quick_database, channel, 10)] == ["again"]


def test_references_come_and_go(quick_database: Database) -> None:
    for _ in range(2):
        drift_log.add_reference(quick_database, Reference(SCANNER, "REF-1", "kir", NOW))
    assert [at.barcode for at in quality_drift.references(quick_database)] == ["REF-1"]
    assert len(events.of_kinds(quick_database, ["DriftReferenceAdded"])) == 1
    drift_log.remove_reference(quick_database, SCANNER, "REF-1", "kir")
    with pytest.raises(NotFound):
        drift_log.remove_reference(quick_database, SCANNER, "REF-1", "kir")
    for wrong in (Reference("", "REF", "kir", NOW), Reference(SCANNER, "*", "kir", NOW)):
        with pytest.raises(Malformed):
            drift_log.add_reference(quick_database, wrong)
    assert quality_drift.references(quick_database) == []


def test_the_duty_looks_twice_a_day(services: Services) -> None:
    weeks = Days(now() - timedelta(days=40), 35)
    live(services.database, weeks, later(weeks, days=5, a_day=20, blur=0.8))
    watch = DriftWatch(services, Fallen())
    assert watch() == 1
    (kept,) = quality_drift.kept(services.database)
    assert (watch(), DriftWatch(services, Fallen())()) == (0, 0)
    assert quality_drift.kept(services.database) == [kept]  # the same half of the day
    drift_log.keep(services.database, replace(kept, at=kept.at - timedelta(hours=12)))
    assert DriftWatch(services, Fallen())() == 0
    (again,) = quality_drift.kept(services.database)
    assert again.at > kept.at


def test_a_model_of_the_registry_falls_a_step_and_keeps_the_reason(services: Services) -> None:
    database, data = services.database, b"a network"
    known = a_model(services, data, ModelMode.VISIBLE_QC)
    name, version = known.manifest.name, known.manifest.version
    weeks = calm()
    live(database, weeks, later(weeks, days=3, a_day=40, blur=1.0, alarms=0.9))
    done = evaluate(database, NOW + 3 * DAY, registered(database))
    assert done.fallen == (f"model {name}@{version}",)
    assert models.get(database, name, version).mode is ModelMode.SILENT
    (told,) = events.of_kinds(database, ["ModelDemoted"])
    assert told.data["why"] == "drift: focus_p50 of GT450-7 HE is out"
    fall = registered(database)
    assert [fall(name, version, "x"), fall(name, version, "x")] == [True, False]
    assert models.get(database, name, version).mode is ModelMode.TEST


def a_model(services: Services, data: bytes, mode: ModelMode) -> Model:
    """One that has risen so far; how, is told elsewhere."""
    database, sha256 = services.database, hashlib.sha256(data).hexdigest()
    manifest = Manifest(
        "focus-mlp", "1.2", "focus", ModelFormat.SAFETENSORS, sha256, "MIT",
        ModelInput(1.0, 128, 32), (), (),
    )  # fmt: skip
    card = Card("1.2", sha256, "focus", (), (), (), (), "lab@example.org")
    models.add(database, services.layout, manifest, card, data, "kir")
    risen = sa.update(model_tables.model).values(mode=mode.value)
    with database.transaction() as connection:
        connection.execute(risen)
    return models.get(database, "focus-mlp", "1.2")
