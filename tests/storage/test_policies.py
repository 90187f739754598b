"""Versions of the policy: entered, never edited, and in force from when they say."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import events, policies
from storage.database import Database, now
from storage.errors import Illegal, Malformed, NotFound
from storage.exchange.policy_json import policy_to_json
from storage.records.policy import DEFAULT_POLICY


def document(**changes: object) -> dict[str, object]:
    """The default without what a new version gets by itself, changed."""
    plain = policy_to_json(DEFAULT_POLICY)
    del plain["version"], plain["effective_from"]
    return plain | changes


def test_what_svartid_comes_with_holds_until_another_is_entered(database: Database) -> None:
    assert policies.current(database) == DEFAULT_POLICY
    assert [at.policy for at in policies.history(database)] == [DEFAULT_POLICY]
    entered = policies.enter(database, document(warn_share=0.5), "kirsten", "page")
    assert (entered.version, entered.warn_share) == (2, 0.5)
    assert policies.current(database) == entered
    assert policies.version(database, 1) == DEFAULT_POLICY
    assert [at.entered_by for at in policies.history(database)] == ["kirsten", "svartid"]
    (told,) = events.history(database, "policy:2")
    assert (told.kind, told.actor, told.data["version"]) == ("PolicyEntered", "kirsten", 2)
    with pytest.raises(NotFound):
        policies.version(database, 3)


def test_a_version_holds_from_when_it_says(database: Database) -> None:
    as_shown = policy_to_json(policies.current(database)) | {"cutoff_hour": 14}
    assert policies.enter(database, as_shown, "a", "page").effective_from > now() - timedelta(0, 60)
    later = now() + timedelta(days=10)
    coming = policies.enter(
        database, document(warn_share=0.5, effective_from=later.isoformat()), "a", "page"
    )
    meanwhile = policies.enter(database, document(warn_share=0.6, version=3), "b", "page")
    assert policies.current(database) == meanwhile
    assert policies.current(database, later - timedelta(seconds=1)) == meanwhile
    assert policies.current(database, later) == coming


def test_a_change_made_from_an_older_version_is_refused(database: Database) -> None:
    policies.enter(database, document(version=1), "a", "page")
    with pytest.raises(Illegal, match="policy changed"):
        policies.enter(database, document(version=1), "b", "page")
    assert len(policies.history(database)) == 2


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (document(warn_share=2), "warn_share"),
        (document(nonsense=1), "nonsense"),
        (document(effective_from="2020-01-01T00:00:00+00:00"), "past"),
        (document(effective_from="2020-01-01T00:00:00"), "effective_from"),
        (["targets"], "object"),
    ],
)
def test_nonsense_is_refused_and_named(database: Database, wrong: object, told: str) -> None:
    with pytest.raises(Malformed, match=told):
        policies.enter(database, wrong, "a", "page")
    assert policies.current(database) == DEFAULT_POLICY
