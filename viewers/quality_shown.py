"""A run of the checks as people are shown it: what models say in silence is left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from storage.exchange.plain import to_plain
from storage.quality import Run
from storage.records.case_words import RescanReason
from storage.records.quality import Finding, ModelMode, QualityReport, Spot
from viewers.quality_picture import legend

_HEARD = (None, ModelMode.VISIBLE_QC, ModelMode.VISIBLE_SUPPORT)
_MOST_SPOTS = 50
_WORST = 10
"""So many spots make the region of a rescan."""
_WHOLE = 0.6
"""A region larger than this part of the image is the whole glass."""
_REASONS = {
    "focus": RescanReason.OUT_OF_FOCUS,
    "tissue": RescanReason.MISSING_TISSUE,
    "coverage": RescanReason.MISSING_TISSUE,
    "tiles": RescanReason.MISSING_TISSUE,
    "stitch": RescanReason.STITCHING,
    "band": RescanReason.STITCHING,
    "pen": RescanReason.DIRT,
    "bubble": RescanReason.DIRT,
    "dust": RescanReason.DIRT,
    "edge": RescanReason.DIRT,
    "identity": RescanReason.WRONG_GLASS,
}
"""What a rescan is asked for, by the first word of the check that asks."""


def shown(report: QualityReport) -> tuple[Finding, ...]:
    """The findings that those who treat may see."""
    return tuple(at for at in report.findings if (at.model.mode if at.model else None) in _HEARD)


def run_json(run: Run) -> dict[str, Any]:
    """The report, what a person said of it, and for each map where it is and what it shows."""
    report = replace(run.report, findings=shown(run.report))
    document = to_plain(report)
    document["findings"] = [_finding(report, at) for at in report.findings]
    human = to_plain(run.human) if run.human else None
    return document | {"sha256": run.sha256, "human": human}


def line_json(run: Run) -> dict[str, Any]:
    """One of the runs of a slide, in a line."""
    report = run.report
    return {
        "run_id": report.run_id,
        "at": report.at.isoformat(),
        "state": report.verdict.state.value,
        "human": run.human.state if run.human else None,
    }


def suggestion(run: Run) -> dict[str, Any]:
    """What a rescan would be asked for: a reason, and the worst places as parts of the image.

    `region` is left, top, width and height as fractions; None is the whole glass.
    """
    report = run.report
    check = next((check for check, _ in report.verdict.reasons if check), "")
    reason = _REASONS.get(check.partition(".")[0], RescanReason.OTHER)
    found = next((at for at in shown(report) if at.check == check), None)
    region = _region(found.spots, report.size) if found else None
    return {"check": check, "reason": reason.value, "region": region}


def asks_json(run: Run) -> list[dict[str, Any]]:
    """Why a slide is to be looked at: each check with its figures and the rule it broke."""
    by_check = {at.check: at for at in shown(run.report)}
    return [
        {"check": check, "reason": told, "unit": at.unit, "figures": dict(at.figures)}
        for check, told in run.report.verdict.reasons
        if (at := by_check.get(check))
    ]


def _region(spots: Sequence[Spot], size: tuple[int, int]) -> list[float] | None:
    worst = sorted(spots, key=lambda at: (at.most or 0.0, at.area_mm2 or 0.0), reverse=True)
    boxes = [at.box for at in worst[:_WORST]]
    if not boxes or not all(size):
        return None
    width, height = size
    left, top = min(at[0] for at in boxes), min(at[1] for at in boxes)
    right = min(max(at[0] + at[2] for at in boxes), width)
    bottom = min(max(at[1] + at[3] for at in boxes), height)
    region = (left / width, top / height, (right - left) / width, (bottom - top) / height)
    if region[2] * region[3] > _WHOLE:
        return None
    return [round(share, 4) for share in region]


def _finding(report: QualityReport, finding: Finding) -> dict[str, Any]:
    document = to_plain(finding)
    document["spots"] = document.get("spots", [])[:_MOST_SPOTS]
    if finding.map is not None:
        of_run = f"/api/v1/slides/{report.slide_id}/quality/{report.run_id}"
        document["map"] |= {
            "address": f"{of_run}/maps/{finding.check}.png",
            "legend": [asdict(step) for step in legend(finding, finding.map)],
        }
    return document
