"""Maps of quality on disk: beside the pyramid, a run a folder, OME-NGFF images of one level.

    quality/<slide id>.zarr/<run>/<check>/{zarr.json, 0/zarr.json, 0/c/0/0}

A run is written whole into a `.part` folder and renamed; nothing is ever written over. Why not
inside the pyramid: it is proven and never changes (docs/decisions/0024).
Source: NGFF 0.5 multiscales, labels (https://ngff.openmicroscopy.org/0.5/); Zarr v3 core.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from storage.errors import NotFound, StoreDamaged
from storage.layout import Layout
from storage.pyramids import sync_folder, sync_tree
from storage.records.quality import MapRef
from storage.shards import write_parts

Stored = NDArray[np.uint8]
_GROUP = json.dumps({"zarr_format": 3, "node_type": "group", "attributes": {}}).encode()
_MOST_PIXELS = 2**26
_SETTLED = 3600.0
"""Seconds after which nobody writes at a run any more."""


@dataclass(frozen=True, slots=True)
class MapToStore:
    """A map as bytes, and what it means."""

    name: str
    stored: Stored
    """[row, column]."""
    cell: int
    scale: float
    mpp: float | None
    unit: str
    classes: tuple[str, ...] = ()


def folder_of(layout: Layout, slide_id: str) -> Path:
    """Where the runs of a slide lie, or would."""
    return layout.quality / f"{slide_id}.zarr"


def write_run(
    layout: Layout, slide_id: str, run_id: str, maps: Sequence[MapToStore]
) -> dict[str, MapRef]:
    """Write all maps of a run at once; where each lies, by check. Errors: OSError."""
    root = folder_of(layout, slide_id)
    root.mkdir(exist_ok=True, mode=0o700)
    if not (root / "zarr.json").exists():
        write_parts(root / "zarr.json", [_GROUP], sync=True, alone=False)  # two may begin at once
    part = root / f"{run_id}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    write_parts(part / "zarr.json", [_GROUP], sync=False)
    refs = {one.name: _write(part, run_id, one) for one in maps}
    sync_tree(part)
    part.rename(root / run_id)
    sync_folder(root)
    return refs


def read_map(layout: Layout, slide_id: str, ref: MapRef) -> Stored:
    """The bytes of a map, [row, column]. Errors: NotFound, StoreDamaged."""
    path = folder_of(layout, slide_id) / ref.path / "0" / "c" / "0" / "0"
    try:
        packed = path.read_bytes()
    except FileNotFoundError as error:
        raise NotFound("no such map") from error
    if hashlib.sha256(packed).hexdigest() != ref.sha256 or ref.columns * ref.rows > _MOST_PIXELS:
        raise StoreDamaged("a map of quality has changed")
    try:
        raw = gzip.decompress(packed)
        return np.frombuffer(raw, np.uint8).reshape(ref.rows, ref.columns)
    except (OSError, EOFError, ValueError) as error:
        raise StoreDamaged("a map of quality cannot be read") from error


def unknown_runs(layout: Layout, slide_id: str, known: Collection[str]) -> list[Path]:
    """Folders that no run was entered for: somebody was killed before he could.

    What is younger than an hour may be somebody's who is about to.
    """
    settled = time.time() - _SETTLED
    return sorted(
        folder
        for folder in folder_of(layout, slide_id).glob("*/")
        if folder.name not in known and folder.stat().st_mtime < settled
    )


def _write(part: Path, run_id: str, one: MapToStore) -> MapRef:
    base = part / one.name.replace(".", "_")
    (base / "0" / "c" / "0").mkdir(parents=True)
    rows, columns = one.stored.shape
    packed = gzip.compress(np.ascontiguousarray(one.stored).tobytes(), 6, mtime=0)
    write_parts(base / "zarr.json", [_json(_multiscale(one))], sync=False)
    write_parts(base / "0" / "zarr.json", [_json(_array(rows, columns))], sync=False)
    write_parts(base / "0" / "c" / "0" / "0", [packed], sync=False)
    return MapRef(
        f"{run_id}/{base.name}", hashlib.sha256(packed).hexdigest(), one.cell, columns, rows,
        one.scale, 0.0, 255, one.classes,
    )  # fmt: skip


def _multiscale(one: MapToStore) -> dict[str, Any]:
    """Where a cell's middle lies; lengths in µm where the pixel size is known."""
    side = one.cell * one.mpp if one.mpp else float(one.cell)
    # A pixel's own middle is the origin of the pyramid's axes, half a pixel from the corner.
    middle = (side - (one.mpp or 1.0)) / 2
    unit = {"unit": "micrometer"} if one.mpp else {}
    ome: dict[str, Any] = {
        "version": "0.5",
        "multiscales": [
            {
                "name": one.name,
                "axes": [{"name": name, "type": "space", **unit} for name in ("y", "x")],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [side, side]},
                            {"type": "translation", "translation": [middle, middle]},
                        ],
                    }
                ],
            }
        ],
    }
    if one.classes:
        colours = ([220, 38, 38, 255], [37, 99, 235, 255], [202, 138, 4, 255], [22, 163, 74, 255])
        ome["image-label"] = {
            "version": "0.5",
            "colors": [
                {"label-value": number, "rgba": colours[(number - 1) % len(colours)]}
                for number in range(1, len(one.classes) + 1)
            ],
            "properties": [
                {"label-value": number, "class": word}
                for number, word in enumerate(one.classes, start=1)
            ],
        }
    svartid = {"unit": one.unit, "scale": one.scale, "nodata": 255}
    attributes = {"ome": ome, "svartid": svartid}
    return {"zarr_format": 3, "node_type": "group", "attributes": attributes}


def _array(rows: int, columns: int) -> dict[str, Any]:
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [rows, columns],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [rows, columns]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 255,
        "codecs": [{"name": "bytes"}, {"name": "gzip", "configuration": {"level": 6}}],
        "attributes": {},
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()
