"""The promises: who is promised what, and a policy as a document."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.errors import Malformed
from storage.exchange.policy_json import policy_from_json, policy_to_json
from storage.records.milestones import Distance, Priority, SpecimenClass
from storage.records.policy import (
    DEFAULT_POLICY,
    ClosingDay,
    Policy,
    SourceMark,
    Target,
    TimeUnit,
    target_for,
)

_C = SpecimenClass
_PROMISED = {  # routine, package, urgent
    _C.BIOPSY: ("5 working_days", "4 working_days", "1 working_days"),
    _C.RESECTION: ("5 working_days", "7 working_days", "1 working_days"),
    _C.CYTOLOGY: ("5 working_days", "2 working_days", "1 working_days"),
    _C.CYTOLOGY_HEAD_NECK: ("5 working_days", "4 working_days", "1 working_days"),
    _C.CYTOLOGY_CERVIX: ("7 working_days", "2 working_days", "1 working_days"),
    _C.FROZEN: ("30 minutes",) * 3,
    _C.BONE_BIOPSY: ("10 calendar_days",) * 3,
    _C.BONE_RESECTION: ("21 calendar_days",) * 3,
}
_words = st.text(st.characters(codec="utf-8"), max_size=12)
_targets = st.builds(
    Target,
    st.integers(1, 1000),
    st.sampled_from(TimeUnit),
    st.integers(1, 100),
    st.none() | st.sampled_from(Priority),
    st.lists(st.sampled_from(SpecimenClass), max_size=3).map(tuple),
    _words,
    st.sampled_from(SourceMark),
)
_closing = st.builds(ClosingDay, st.dates(), _words)
_policies = st.builds(
    Policy,
    version=st.integers(1, 10**6),
    effective_from=st.datetimes(timezones=st.just(UTC)),
    targets=st.lists(_targets, max_size=4).map(tuple),
    fallback=_targets,
    digitisation=st.fixed_dictionaries(dict.fromkeys(Priority, _targets)),
    consultation=st.fixed_dictionaries(dict.fromkeys(Distance, _targets)),
    weekdays=st.sets(st.integers(0, 6), min_size=1).map(lambda at: tuple(sorted(at))),
    cutoff_hour=st.none() | st.integers(1, 23),
    closing_days=st.dictionaries(_words, st.lists(_closing, max_size=3).map(tuple), max_size=2),
    warn_share=st.floats(0.01, 1),
    exclude_external_consult=st.booleans(),
    backdated_after_minutes=st.integers(0, 9999),
    pause_task_after_working_days=st.integers(0, 99),
)


@pytest.mark.parametrize("specimen_class", SpecimenClass)
def test_what_is_promised(specimen_class: SpecimenClass) -> None:
    for priority, said in zip(Priority, _PROMISED[specimen_class], strict=True):
        target = target_for(DEFAULT_POLICY, priority, specimen_class)
        assert f"{target.amount} {target.unit}" == said
        assert target.percent == 90
        assert target.basis


def test_scanning_and_consultation_have_their_own() -> None:
    hours = {at: target.amount // 60 for at, target in DEFAULT_POLICY.digitisation.items()}
    assert hours == {Priority.URGENT: 4, Priority.PACKAGE: 8, Priority.ROUTINE: 24}
    assert {at.percent for at in DEFAULT_POLICY.digitisation.values()} == {95}
    days = [DEFAULT_POLICY.consultation[at].amount for at in Distance]
    assert days == [1, 2, 5, 5]


@given(_policies, st.sampled_from(Priority), st.sampled_from(SpecimenClass))
@settings(max_examples=50)
def test_the_first_that_applies_is_promised_and_something_always(
    policy: Policy, priority: Priority, specimen_class: SpecimenClass
) -> None:
    found = target_for(policy, priority, specimen_class)
    applying = [at for at in policy.targets if at.applies_to(priority, specimen_class)]
    assert found is (applying[0] if applying else policy.fallback)


@given(_policies)
@settings(max_examples=50)
def test_a_policy_is_the_same_after_a_round_trip(policy: Policy) -> None:
    text = json.dumps(policy_to_json(policy))
    assert policy_from_json(json.loads(text)) == policy
    assert hash(policy_from_json(json.loads(text))) == hash(policy)


def test_what_has_a_default_can_be_left_out() -> None:
    document = policy_to_json(DEFAULT_POLICY)
    for name in ("weekdays", "warn_share", "closing_days", "cutoff_hour"):
        del document[name]
    assert policy_from_json(document) == DEFAULT_POLICY


def _spoil(path: str, value: object) -> Callable[[Any], None]:
    def spoil(document: Any) -> None:  # noqa: ANN401 - JSON
        *way, last = (int(at) if at.isdigit() else at for at in path.split("."))
        for at in way:
            document = document[at]
        document[last] = value

    return spoil


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("version", "1", "version"),
        ("version", True, "version"),
        ("version", 0, "version"),
        ("effective_from", "2026-01-01T00:00:00", "effective_from"),
        ("effective_from", "tomorrow", "effective_from"),
        ("targets", "all", "targets"),
        ("targets.0.amount", -1, "targets[0]"),
        ("targets.0.amount", 1.5, "targets[0].amount"),
        ("targets.2.unit", "weeks", "targets[2].unit"),
        ("targets.1.classes", ["liver"], "targets[1].classes[0]"),
        ("fallback", None, "fallback"),
        ("fallback.percent", 101, "percent"),
        ("warn_share", float("nan"), "warn_share"),
        ("weekdays", [], "weekdays"),
        ("weekdays", [7], "weekdays"),
        ("cutoff_hour", 24, "cutoff_hour"),
        ("closing_days", {"a": [{"day": "2026-02-30", "name": "x"}]}, "closing_days['a'][0].day"),
        ("closing_days", [], "closing_days"),
        ("digitisation", {}, "digitisation"),
        ("consultation.mars", None, "consultation"),
        ("penalty", 5, "penalty"),
    ],
)
def test_bad_input_is_refused_by_the_fields_name(path: str, value: object, named: str) -> None:
    document = json.loads(json.dumps(policy_to_json(DEFAULT_POLICY)))
    _spoil(path, value)(document)
    with pytest.raises(Malformed) as refused:
        policy_from_json(document)
    assert named in str(refused.value)


@pytest.mark.parametrize("document", [None, [], "policy", 5, {}])
def test_what_is_no_policy_at_all_is_refused(document: object) -> None:
    with pytest.raises(Malformed, match="policy"):
        policy_from_json(document)


def test_a_missing_field_is_named() -> None:
    document = policy_to_json(DEFAULT_POLICY)
    del document["fallback"]
    with pytest.raises(Malformed, match="missing: fallback"):
        policy_from_json(document)


def test_a_closing_day_is_a_date() -> None:
    closed = replace(DEFAULT_POLICY, closing_days={"køge": (ClosingDay(date(2026, 6, 5), "x"),)})
    assert policy_to_json(closed)["closing_days"] == {"køge": [{"day": "2026-06-05", "name": "x"}]}
