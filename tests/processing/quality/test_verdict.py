"""What findings come to, as a property over all of them."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from processing.quality.verdict import DEFAULT, conclude, judge, policy_ref
from storage.records.quality import (
    Basis,
    Finding,
    ModelMode,
    ModelRef,
    Policy,
    QualityState,
    Rule,
)

S = QualityState
FIGURES = sorted({(rule.check, rule.figure) for rule in DEFAULT.rules})
GRAVITY = {S.PASS: 0, S.REVIEW: 1, S.RESCAN: 2}
UNHEARD = (ModelMode.TEST, ModelMode.SILENT)


@st.composite
def findings(draw: st.DrawFn) -> list[Finding]:
    """One of each check at most, as checks give them before the policy has spoken."""
    found = []
    for check in draw(st.sets(st.sampled_from(sorted({at for at, _ in FIGURES})))):
        basis = draw(st.sampled_from(list(Basis)))
        state = draw(st.sampled_from([S.PASS, S.PASS, S.PASS, S.NOT_EVALUATED, S.ERROR]))
        figures = {
            figure: draw(st.floats(0, 400) | st.integers(0, 100) | st.none())
            for at, figure in FIGURES
            if at == check
        }
        mode = draw(st.sampled_from(list(ModelMode)))
        model = ModelRef("m", "1", "0" * 64, mode) if basis is Basis.MODEL else None
        found.append(Finding(check, "1", basis, state, "", figures, model=model))
    return found


def judged(found: list[Finding], policy: Policy = DEFAULT) -> list[Finding]:
    return [judge(at, policy) for at in found]


@given(findings())
def test_only_what_is_exact_or_validated_asks_for_another_scan(found: list[Finding]) -> None:
    for at in judged(found):
        assert at.state is not S.RESCAN or at.basis is Basis.EXACT
    checks = tuple(at.check for at in found)
    for before, after in zip(
        judged(found), judged(found, replace(DEFAULT, validated=checks)), strict=True
    ):
        assert GRAVITY.get(before.state, -1) <= GRAVITY.get(after.state, -1)


@given(findings(), st.none() | st.floats(0, 1))
def test_what_is_off_or_broken_never_holds_a_slide_back(
    found: list[Finding], examined: float | None
) -> None:
    judged_all = judged(found)
    sound = [at for at in judged_all if at.state not in (S.ERROR, S.NOT_EVALUATED)]
    whole, without = conclude(judged_all, DEFAULT, examined), conclude(sound, DEFAULT, examined)
    assert GRAVITY.get(whole.state, 0) == GRAVITY.get(without.state, 0)
    assert whole.reasons == without.reasons


@given(findings(), st.none() | st.floats(0, 1))
def test_a_model_that_may_not_be_heard_changes_nothing(
    found: list[Finding], examined: float | None
) -> None:
    judged_all = judged(found)
    heard = [at for at in judged_all if at.model is None or at.model.mode not in UNHEARD]
    assert conclude(judged_all, DEFAULT, examined) == conclude(heard, DEFAULT, examined)


@given(findings(), st.none() | st.floats(0, 1))
def test_to_pass_everything_required_was_done(found: list[Finding], examined: float | None) -> None:
    verdict = conclude(judged(found), DEFAULT, examined)
    if verdict.state is S.PASS:
        done = {at.check for at in found if at.state is S.PASS}
        assert set(DEFAULT.required) <= done
        assert examined is None or examined >= 0.99
        assert not verdict.reasons
    if verdict.state in (S.REVIEW, S.RESCAN):
        assert verdict.reasons


@given(st.floats(0, 100), st.floats(0, 100))
def test_worse_figures_are_never_judged_better(one: float, other: float) -> None:
    policy = Policy("p", 1, (Rule("c", "f", 20.0, 60.0),))
    states = [
        judge(Finding("c", "1", Basis.EXACT, S.PASS, "", {"f": at}), policy).state
        for at in sorted((one, other))
    ]
    assert GRAVITY[states[0]] <= GRAVITY[states[1]]


def test_a_policys_digest_tells_its_thresholds() -> None:
    other = replace(DEFAULT, rules=(*DEFAULT.rules[:-1], Rule("identity", "mismatches", 1.0)))
    assert policy_ref(DEFAULT).sha256 != policy_ref(other).sha256
