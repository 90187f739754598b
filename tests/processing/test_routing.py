"""Who gets a case: what forbids, what prefers, what is told; the same facts, the same answer."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from processing.routing import FORBIDDING, Candidate, Demand, Reason, Routing, Rule, route
from storage.records.milestones import Priority
from storage.records.people import Colleague, Role

UNITS, FIELDS, LANGUAGES = ("n", "r"), ("gi", "skin"), ("da", "sv")
NAMES = ("anna", "bo", "carl", "dorte", "eva")


def doctor(name: str, load: float = 0.0, **about: object) -> Candidate:
    words = {"role": Role.PATHOLOGIST, "full_name": "", "site": "", "unit": "n"}
    return Candidate(Colleague(name, **words | about), load)  # type: ignore[arg-type]


people = st.builds(
    Colleague,
    name=st.sampled_from(NAMES),
    role=st.sampled_from([Role.PATHOLOGIST, Role.PATHOLOGIST, Role.TECHNICIAN]),
    full_name=st.sampled_from(["", "Dr Jensen"]),
    site=st.just(""),
    unit=st.sampled_from(UNITS),
    subspecialties=st.lists(st.sampled_from(FIELDS), unique=True).map(tuple),
    languages=st.lists(st.sampled_from(LANGUAGES), unique=True).map(tuple),
    absent=st.booleans(),
)
candidates = st.lists(
    st.builds(Candidate, people, st.floats(0, 30)),
    max_size=5,
    unique_by=lambda at: at.colleague.name,
)  # fmt: skip
demands = st.builds(
    Demand,
    unit=st.sampled_from(["", *UNITS]),
    subspecialty=st.sampled_from(["", *FIELDS]),
    language=st.sampled_from(LANGUAGES),
    priority=st.sampled_from(Priority),
    requester=st.sampled_from(["", "dr jensen", "anna"]),
    consulted=st.frozensets(st.sampled_from(NAMES), max_size=2),
)


@given(demands, candidates)
def test_never_to_one_who_may_not_have_it(demand: Demand, among: list[Candidate]) -> None:
    choice = route(demand, among)
    known = {at.colleague.name: at.colleague for at in among}
    if choice.pathologist:
        who = known[choice.pathologist]
        assert not who.absent
        assert (who.unit, who.role) == (demand.unit, Role.PATHOLOGIST)
        assert who.name not in demand.consulted
        asked = demand.requester.casefold()
        assert not asked or asked not in (who.name, who.full_name.casefold())
    else:
        assert choice.why == ()
        assert all(reason.rule in FORBIDDING for _, reason in choice.others)


@given(demands, candidates, st.randoms())
def test_everybody_is_accounted_for_in_any_order(
    demand: Demand, among: list[Candidate], chance: object
) -> None:
    choice = route(demand, among)
    mixed = list(among)
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert route(demand, mixed) == choice
    told = [name for name, _ in choice.others] + [choice.pathologist] * bool(choice.pathologist)
    assert sorted(told) == sorted(at.colleague.name for at in among)


@given(demands, candidates)
def test_the_rule_that_is_told_first_tells_for_the_chosen(
    demand: Demand, among: list[Candidate]
) -> None:
    """Without what it names, the next one would be as good or better."""
    choice = route(demand, among)
    passed = [name for name, reason in choice.others if reason.rule not in FORBIDDING]
    if not choice.pathologist or not passed:
        return
    first = choice.why[0]
    if first.rule is Rule.NAME:
        assert choice.pathologist < passed[0]
        return
    assert first.by == max(at.by for at in choice.why) > 0
    if len(choice.why) == 1:
        spared = [
            replace(at, load=at.load + first.by + 0.02) if at.colleague.name == choice.pathologist
            else at for at in among
        ]  # fmt: skip
        assert route(demand, spared).pathologist != choice.pathologist


@given(st.integers(2, 5), st.integers(1, 60), st.lists(st.floats(0, 3), min_size=5, max_size=5))
@settings(max_examples=40)
def test_the_load_evens_out(count: int, cases: int, begin: list[float]) -> None:
    loads = dict(zip(NAMES[:count], begin, strict=False))
    for _ in range(cases + 3 * count):
        among = [doctor(name, load) for name, load in loads.items()]
        loads[route(Demand("n"), among).pathologist] += 1.0
    assert max(loads.values()) - min(loads.values()) <= 1.0 + 1e-6


def chosen(among: list[Candidate], **about: object) -> Routing:
    return route(Demand("n", **about), among)  # type: ignore[arg-type]


def test_the_one_with_less_to_read() -> None:
    choice = chosen([doctor("anna", 5), doctor("bo", 3)])
    assert (choice.pathologist, choice.why) == ("bo", (Reason(Rule.LOAD, 2.0),))
    assert choice.others == (("anna", Reason(Rule.LOAD, 2.0)),)


def test_the_field_counts_more_than_a_few_cases_and_not_more_than_many() -> None:
    expert = doctor("anna", 7, subspecialties=("gi",))
    other = doctor("bo", 0, subspecialties=("skin",))
    assert chosen([expert, other], subspecialty="gi").pathologist == "anna"
    busy = replace(expert, load=9)
    assert chosen([busy, other], subspecialty="gi").pathologist == "bo"
    assert chosen([expert, other], subspecialty="gi").why[0].rule is Rule.SUBSPECIALTY


def test_what_is_urgent_goes_to_whoever_has_time() -> None:
    among = [doctor("anna", 4, subspecialties=("gi",)), doctor("bo", 0, subspecialties=("skin",))]
    assert chosen(among, subspecialty="gi").pathologist == "anna"
    urgent = chosen(among, subspecialty="gi", priority=Priority.URGENT)
    assert (urgent.pathologist, urgent.why[0].rule) == ("bo", Rule.LOAD)


def test_the_language_it_is_written_in() -> None:
    among = [doctor("anna", 0), doctor("bo", 2, languages=("da", "sv"))]
    assert chosen(among, language="sv").pathologist == "bo"
    assert chosen(among).pathologist == "anna"


def test_who_asked_or_was_consulted_and_who_is_the_only_one() -> None:
    among = [doctor("anna"), doctor("bo", full_name="Bo Hansen"), doctor("carl", 9)]
    choice = chosen(among, requester=" bo hansen ", consulted=frozenset({"anna"}))
    assert (choice.pathologist, choice.why) == ("carl", (Reason(Rule.ONLY_ONE),))
    assert dict(choice.others) == {"anna": Reason(Rule.CONSULTED), "bo": Reason(Rule.REQUESTER)}


def test_nobody() -> None:
    assert chosen([]) == Routing("", (), ())
    assert chosen([doctor("anna", absent=True)]).others == (("anna", Reason(Rule.ABSENT)),)
    assert route(Demand(""), [doctor("anna", unit="")]).pathologist == ""
