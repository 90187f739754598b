"""Is what was found about a slide's quality still what was entered: every report and every map."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from flows.services import Services
from storage import quality, quality_maps
from storage.errors import SvartidError

_GROUP = "zarr.json"
_FILES = (_GROUP, "0/zarr.json", "0/c/0/0")


def verify_quality(services: Services, slide_id: str) -> list[str]:
    """A line for every report or map that is not what it was, and every file nobody entered."""
    folder = quality_maps.folder_of(services.layout, slide_id)
    problems, expected = list[str](), {folder / _GROUP}
    runs = quality.runs(services.database, slide_id)
    known = {run.report.run_id for run in runs}
    for run in runs:
        run_id = run.report.run_id
        expected.add(folder / run_id / _GROUP)
        if quality.digest(run.report) != run.sha256:
            problems.append(f"quality, run {run_id}: the report has changed")
        for finding in run.report.findings:
            if finding.map is None:
                continue
            expected |= {folder / finding.map.path / name for name in _FILES}
            try:
                quality_maps.read_map(services.layout, slide_id, finding.map)
            except (SvartidError, OSError) as error:
                problems.append(f"quality, run {run_id}, {finding.check}: {error}")
    strange = quality_maps.unknown_runs(services.layout, slide_id, known)
    strange += [path for path in _files(folder, known) if path not in expected]
    return problems + [
        f"quality/{path.relative_to(folder.parent)} does not belong here" for path in strange
    ]


def _files(folder: Path, known: Collection[str]) -> list[Path]:
    """What lies in the runs that were entered, and beside them."""
    runs = (path for run_id in known for path in (folder / run_id).rglob("*"))
    return sorted(path for path in (*runs, *folder.glob("*")) if path.is_file())
