"""Figures held against a policy: pure, and the only place where a verdict is reached.

A check that is off, crashed or had nothing to measure never holds a slide back. Only what is exact,
or what the site has validated, may ask for another scan by itself; all else asks for a look.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, replace

from storage.records.quality import (
    Basis,
    Finding,
    ModelMode,
    Policy,
    PolicyRef,
    QualityState,
    Rule,
    Verdict,
)

S = QualityState
_ORDER = (S.PASS, S.REVIEW, S.RESCAN)
EXAMINED_AT_LEAST = 0.99
_SPEAKS = (None, ModelMode.VISIBLE_QC, ModelMode.VISIBLE_SUPPORT)

DEFAULT = Policy(
    "default",
    1,
    (
        Rule("tissue.area", "tissue_mm2", 1.0, 0.1, below=True),
        Rule("coverage.missing", "missing_pct", 1.0, 5.0),
        Rule("tiles.missing", "missing_mm2", 0.0, 0.0),
        Rule("tiles.missing", "damaged", 0.0, 0.0),
        Rule("focus.radius", "bad_area_pct", 2.0, 15.0),
        Rule("focus.radius", "largest_bad_mm2", 1.0),
        Rule("stitch.shift", "seams", 0.0, 5.0),
        Rule("stitch.shift", "largest_px", 2.0, 8.0),
        Rule("band.step", "largest_pct", 3.0, 8.0),
        Rule("pen.area", "area_pct", 0.2),
        Rule("fold.area", "area_pct", 2.0),
        Rule("bubble.area", "area_pct", 1.0),
        Rule("dust.area", "area_pct", 2.0),
        Rule("edge.coverslip", "over_tissue_mm", 0.0),
        Rule("edge.scratch", "over_tissue_mm", 0.0),
        Rule("stain.background", "white", 215.0, below=True),
        Rule("stain.cohort", "deviations", 3.0),
        Rule("clip", "clipped_pct", 1.0),
        Rule("jpeg.quality", "quality", 50.0, 20.0, below=True),
        Rule("identity", "mismatches", 0.0),
    ),
    required=("tissue.area", "tiles.missing"),
)
"""Starting points until a laboratory has its own (qc: table of checks in docs/quality.md)."""


def policy_ref(policy: Policy) -> PolicyRef:
    """Its name and digest."""
    document = json.dumps(asdict(policy), sort_keys=True).encode()
    return PolicyRef(policy.policy_id, policy.version, hashlib.sha256(document).hexdigest())


def judge(found: Finding, policy: Policy) -> Finding:
    """The finding with its state and reason, as the policy has it."""
    if found.state in (S.NOT_EVALUATED, S.ERROR):
        return found
    rules = [rule for rule in policy.rules if rule.check == found.check]
    broken = [(state, told) for rule in rules for state, told in _broken(rule, found)]
    worst = max((state for state, _ in broken), key=_ORDER.index, default=S.PASS)
    if worst is S.RESCAN and not _may_ask(found, policy):
        worst = S.REVIEW
    thresholds = {
        f"{rule.figure}_{word}": limit
        for rule in rules
        for word, limit in (("review", rule.review), ("rescan", rule.rescan))
        if limit is not None
    }
    reason = next(
        (told for state, told in broken if state is worst), broken[0][1] if broken else ""
    )
    return replace(found, state=worst, reason=reason, thresholds=thresholds)


def conclude(findings: Sequence[Finding], policy: Policy, examined: float | None) -> Verdict:
    """All findings together; those of models that may not be heard count for nothing."""
    heard = [at for at in findings if (at.model.mode if at.model else None) in _SPEAKS]
    worst = max((at.state for at in heard if at.state in _ORDER), key=_ORDER.index, default=None)
    reasons = tuple(
        (at.check, at.reason) for state in (S.RESCAN, S.REVIEW) for at in heard if at.state is state
    )
    done = {at.check for at in heard if at.state in _ORDER}
    missing = tuple(check for check in policy.required if check not in done)
    if worst in (S.RESCAN, S.REVIEW):
        return Verdict(worst, reasons, missing)
    if any(at.state is S.ERROR for at in heard if at.check in missing):
        return Verdict(S.ERROR, reasons, missing)
    if worst is None or missing or (examined is not None and examined < EXAMINED_AT_LEAST):
        return Verdict(S.NOT_EVALUATED, reasons, missing)
    return Verdict(S.PASS, reasons, missing)


def _broken(rule: Rule, found: Finding) -> list[tuple[QualityState, str]]:
    value = found.figures.get(rule.figure)
    if not isinstance(value, int | float):
        return []
    sign = "<" if rule.below else ">"
    limits = ((S.RESCAN, rule.rescan), (S.REVIEW, rule.review))
    return [
        (state, f"{rule.figure}{sign}{limit:g}")
        for state, limit in limits
        if limit is not None and (value < limit if rule.below else value > limit)
    ]


def _may_ask(found: Finding, policy: Policy) -> bool:
    return found.basis is Basis.EXACT or found.check in policy.validated
