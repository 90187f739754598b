"""A month's figures as a table for spreadsheets: a row for all cases, and one for each group."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from processing.turnaround.steps import StepName

_ABOUT = ("priority", "specimen_class", "site", "unit")
_QUANTILES = ("median", "p90", "p95", "max")
_LENGTHS = (("gross", "hours"), ("net", "net_hours"))
_HOUR = 3600.0
COLUMNS = (
    "month", "group", *_ABOUT,
    "n", "within", "percent", "promised", "within_net",
    *(f"working_days_{at}" for at in _QUANTILES),
    *(f"{name}_{at}" for _, name in _LENGTHS for at in _QUANTILES),
    "paused_share", "backdated",
    "estimate_n", "estimate_open", "estimate_percent", "estimate_low", "estimate_high",
    *(f"mean_hours_{step.value}" for step in StepName),
    *(f"median_hours_{step.value}" for step in StepName),
    "policy_version", "event_id", "data_until",
)  # fmt: skip
"""Hours are of calendar time; the estimate is of all cases only. See docs/turnaround.md."""


def csv_text(document: Mapping[str, Any], *, danish: bool = False) -> str:
    """Of a `figures_json.month_json`. Danish spreadsheets want semicolons and decimal commas."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if danish else ",", lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for row in rows(document):
        writer.writerow([_cell(row.get(name), danish=danish) for name in COLUMNS])
    return text.getvalue()


def rows(document: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Values by column."""
    same = {
        "month": document["month"],
        "policy_version": document["policy_version"],
        "event_id": document["cut"]["event_id"],
        "data_until": document["cut"]["at"],
    }
    estimate = document["estimate"]
    told = {f"estimate_{name}": estimate[name] for name in ("n", "open", "percent", "low", "high")}
    everything = {"group": "all", "unit": document["unit"]}
    yield same | everything | _values(document["whole"]) | told
    for name, groups in document["groups"].items():
        for group in groups:
            about: Sequence[str] = name.split("+")
            yield (
                same
                | {"group": name, "unit": document["unit"]}
                | dict(zip(about, group["key"], strict=True))
                | _values(group)
            )


def _values(figures: Mapping[str, Any]) -> dict[str, Any]:
    plain = ("n", "within", "percent", "promised", "within_net", "paused_share", "backdated")
    found = {name: figures[name] for name in plain}
    for at in _QUANTILES:
        found[f"working_days_{at}"] = (figures["working_days"] or {}).get(at)
        for field, name in _LENGTHS:
            found[f"{name}_{at}"] = _hours((figures[field] or {}).get(at))
    for kind in ("mean", "median"):
        for step, seconds in figures[f"step_{kind}s"].items():
            found[f"{kind}_hours_{step}"] = _hours(seconds)
    return found


def _hours(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds / _HOUR, 4)


def _cell(value: Any, *, danish: bool) -> str:  # noqa: ANN401
    if value is None:
        return ""
    if isinstance(value, float):
        text = f"{value:.4f}".rstrip("0").rstrip(".")
        return text.replace(".", ",") if danish else text
    text = str(value)
    return (
        f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
    )  # a spreadsheet would compute it
