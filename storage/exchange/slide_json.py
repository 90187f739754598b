"""Slides and intakes as JSON documents, the same for the API and the command."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storage.records.channels import Channels
from storage.records.geometry import level_count
from storage.records.intake import Intake
from storage.records.slide import Slide


def slide_json(slide: Slide) -> dict[str, Any]:
    """A readable slide; times in ISO 8601 UTC, mpp in µm, sizes in pixels."""
    about, mpp = slide.metadata, slide.metadata.mpp
    ready, complete = slide.ready_at, slide.complete_at
    count = level_count(slide.size, slide.tile_edge)
    sizes = [slide.size.at_level(level) for level in range(count)]
    return {
        "slide_id": slide.slide_id,
        "fingerprint": slide.fingerprint,
        "name": slide.name,
        "state": "complete" if complete else "ready",
        "width": slide.size.width,
        "height": slide.size.height,
        "levels": [[size.width, size.height] for size in sizes],
        "tile_size": slide.tile_edge,
        "mpp": mpp.mean if mpp else None,
        "mpp_origin": mpp.origin.value if mpp else "unknown",
        "objective_power": about.objective_power,
        "scanner": about.scanner,
        "vendor": about.vendor,
        "barcode": about.barcode,
        "notices": [notice.value for notice in about.notices],
        "associated": list(slide.associated),
        "icc": slide.icc,
        "copied": slide.copied,
        "original": "skeleton" if slide.skeleton else "whole",
        "tier": slide.tier.value,
        "stored_bytes": slide.stored_bytes,
        "root": slide.root,
        "bytes": slide.bytes,
        "received_at": _iso(slide.received_at),
        "ready_at": _iso(ready),
        "complete_at": _iso(complete),
        "seconds": (ready - slide.received_at).total_seconds(),
        "complete_seconds": (complete - slide.received_at).total_seconds() if complete else None,
    }


def intake_json(row: Intake) -> dict[str, Any]:
    """A received file and how far it has come."""
    return {
        "intake_id": row.intake_id,
        "slide_id": row.slide_id,
        "name": row.name,
        "source": row.source.value,
        "state": row.state.value,
        "reason": row.reason,
        "detail": row.detail,
        "attempts": row.attempts,
        "bytes": row.bytes,
        "done": row.done,
        "total": row.total,
        "received_at": _iso(row.received_at),
        "updated_at": _iso(row.updated_at),
        "seconds": row.seconds,
        "complete_seconds": row.complete_seconds,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def channels_json(channels: Channels | None) -> dict[str, Any] | None:
    """Channels of a fluorescence slide, None for brightfield; windows in sample values."""
    if channels is None:
        return None
    return {
        "bits": channels.bits,
        "most": channels.most,
        "list": [
            {
                "name": at.name,
                "color": at.color,
                "low": at.window.low,
                "high": at.window.high,
                "emission_nm": at.emission_nm,
                "excitation_nm": at.excitation_nm,
            }
            for at in channels.channels
        ],
    }
