"""Drift over HTTP: as last evaluated, for all who see figures; alerts for operations."""

from __future__ import annotations

from datetime import timedelta

import pytest

from flows.quality_drift import evaluate, registered
from storage import drift_log, people
from storage.database import now
from storage.errors import Illegal
from storage.records.drift import Reference
from storage.records.people import Role
from tests.flows.drift_lab import SCANNER, Days, later, live
from tests.viewers.conftest import Ask, Shop

AI = "ai:mitoses@2.1"
ADDRESS = "/api/v1/quality/drift"


@pytest.mark.parametrize(
    ("role", "status"), [("technician", 200), ("ops", 200), ("pathologist", 200), ("device", 403)]
)
def test_who_sees_it(ask: Ask, role: str, status: int) -> None:
    assert ask(role).get(ADDRESS).status_code == status


def test_what_was_evaluated_and_what_drifts(ask: Ask, shop: Shop) -> None:
    database, moment = shop.services.database, now()
    weeks = Days(moment - timedelta(days=40), 35)
    live(database, weeks, later(weeks, days=5, a_day=20, blur=0.8))
    drift_log.add_reference(database, Reference(SCANNER, "REF", "kir", moment))
    evaluate(database, moment, registered(database))
    told = ask("technician").get(ADDRESS).json()
    (kept,) = (at for at in told["channels"] if at["series"] == "cases")
    assert (kept["scanner"], kept["stain"], kept["state"]) == (SCANNER, "HE", "out")
    (focus,) = (at for at in kept["standings"] if at["figure"] == "focus_p50")
    assert focus["unit"] == "um"
    assert focus["state"] == "out"
    assert focus["baseline"] == pytest.approx(0.4, abs=0.03)
    assert focus["latest"] > 0.6
    assert 2 <= len(focus["points"]) <= 120
    assert abs(focus["points"][-1][1]) > focus["points"][-1][2]
    assert "focus_p50" in {at["figure"] for at in told["breaches"]}
    alerts = ask("ops").get("/api/v1/ops").json()["drift"]
    assert {at["figure"] for at in alerts["breaches"]} == {
        at["figure"] for at in told["breaches"] if at["ended_at"] is None
    }
    assert [at["scanner"] for at in alerts["missing"]] == [SCANNER]
    assert "slide" not in str(told)


def test_nobody_comes_in_under_the_name_of_a_program(ask: Ask, shop: Shop) -> None:
    """Its token and its sign-in would be facts of the log by that actor."""
    database = shop.services.database
    password = people.add_person(database, AI, Role.PATHOLOGIST)
    with pytest.raises(Illegal):
        people.create_token(database, AI, Role.PATHOLOGIST, 1)
    pia = people.add_person(database, "pia", Role.PATHOLOGIST)
    tried = [
        ask(None).post("/signin", data={"name": name, "password": word}).status_code
        for name, word in ((AI, password), ("pia", pia))
    ]
    assert tried == [409, 303]
