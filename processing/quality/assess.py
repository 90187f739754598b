"""All checks on one slide: what each measured, what the policy makes of it.

A check that fails is an error of that check; the others go on, and the slide has its report.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from processing.quality.check import CellMap, Check, Field, FieldLook, Look, Measured, NotEvaluated
from processing.quality.slide_view import SlideView
from processing.quality.sweep import fields, tissue_cells
from processing.quality.verdict import conclude, judge
from storage.records.quality import Figure, Finding, Policy, QualityState, Verdict

_LOG = logging.getLogger("svartid.quality")
OFF = "switched_off"


@dataclass(frozen=True, slots=True)
class Assessed:
    """Findings in the order of the checks, and the maps they come with, by check."""

    verdict: Verdict
    findings: tuple[Finding, ...]
    maps: dict[str, CellMap]
    tissue_mm2: float | None
    examined: float | None
    """The part of the tissue that was handed to the checks, 0 to 1."""
    seconds: float
    cpu_seconds: float


@dataclass(slots=True)
class _Running:
    """A check at work; it has nothing more to say once its state is no pass."""

    check: Check
    look: Look | None = None
    measured: Measured | None = None
    state: QualityState = QualityState.PASS
    why: str = ""
    seconds: float = 0.0

    def begin(self, slide: SlideView) -> None:
        """Hand it the slide."""
        with self._guarded():
            self.look = self.check.begin(slide)

    def see(self, seen: Field) -> None:
        """Hand it a field, if it wants any."""
        if isinstance(self.look, FieldLook) and self.state is QualityState.PASS:
            with self._guarded():
                self.look.see(seen)

    def end(self) -> None:
        """Ask what it measured."""
        if self.look is not None and self.state is QualityState.PASS:
            with self._guarded():
                self.measured = self.look.end()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        except NotEvaluated as reason:
            self.state, self.why = QualityState.NOT_EVALUATED, str(reason)
        except Exception as error:  # a check is somebody's own code; the slide has its report
            _LOG.warning("check %s failed: %s", self.check.id, type(error).__name__)
            self.state, self.why = QualityState.ERROR, type(error).__name__
        finally:
            self.seconds += time.perf_counter() - began


def assess(slide: SlideView, run: Sequence[Check], policy: Policy) -> Assessed:
    """Run the checks and hold what they measure against the policy."""
    began, cpu = time.perf_counter(), time.process_time()
    running = [_Running(check) for check in run if check.id not in policy.off]
    for one in running:
        one.begin(slide)
    examined = _sweep(slide, [one for one in running if isinstance(one.look, FieldLook)])
    for one in running:
        one.end()
    findings = [judge(_finding(one), policy) for one in running]
    findings += [_switched_off(check) for check in run if check.id in policy.off]
    return Assessed(
        conclude(findings, policy, examined),
        tuple(findings),
        {one.check.id: one.measured.map for one in running if one.measured and one.measured.map},
        slide.tissue.mm2,
        examined,
        time.perf_counter() - began,
        time.process_time() - cpu,
    )


def _sweep(slide: SlideView, looks: Sequence[_Running]) -> float | None:
    """The part of the tissue that was seen; None where there is none."""
    whole = float(tissue_cells(slide).sum())
    if not whole:
        return None
    if not looks:
        return 1.0
    seen = 0.0
    for one in fields(slide):
        for look in looks:
            look.see(one)
        seen += float(one.tissue.sum())
    return seen / whole


def _finding(one: _Running) -> Finding:
    check, measured = one.check, one.measured
    return Finding(
        check=check.id,
        version=check.version,
        basis=check.basis,
        state=one.state,
        unit=check.unit,
        figures=_finite(measured.figures) if measured else {},
        reason=one.why,
        model=measured.model if measured else None,
        spots=measured.spots if measured else (),
        limits=measured.limits if measured else (),
        seconds=round(one.seconds, 4),
    )


def _finite(figures: Mapping[str, Figure]) -> dict[str, Figure]:
    """What is no number cannot be kept as JSON, nor held against a limit: nothing was measured."""
    return {
        name: None if isinstance(at, float) and not math.isfinite(at) else at
        for name, at in figures.items()
    }


def _switched_off(check: Check) -> Finding:
    return Finding(
        check.id, check.version, check.basis, QualityState.NOT_EVALUATED, check.unit, {}, OFF
    )
