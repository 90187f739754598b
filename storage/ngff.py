"""OME-Zarr 0.5 on Zarr v3: the only file that knows its attribute names.

Sources: https://ngff.openmicroscopy.org/0.5, the Zarr v3 core specification.
"""

from __future__ import annotations

import json
from typing import Any

from storage.errors import StoreDamaged
from storage.records.geometry import Size
from storage.records.slide import (
    JpegEncoding,
    LevelOrigin,
    Mpp,
    MppOrigin,
    Notice,
    PyramidPlan,
    PyramidRecord,
    SlideMetadata,
    StoredLevel,
)

SUBSAMPLING = {
    "444": [[1, 1], [1, 1], [1, 1]],
    "422": [[2, 1], [1, 1], [1, 1]],
    "420": [[2, 2], [1, 1], [1, 1]],
}
_CHANNELS = (("R", "FF0000"), ("G", "00FF00"), ("B", "0000FF"))


def group_json(record: PyramidRecord, present: tuple[StoredLevel, ...]) -> bytes:
    """zarr.json of the pyramid's group, naming the levels that are `present`."""
    document = {
        "zarr_format": 3,
        "node_type": "group",
        "attributes": {
            "ome": {
                "version": "0.5",
                "multiscales": [_multiscale(record, present)],
                "omero": {
                    "channels": [_channel(label, color) for label, color in _CHANNELS],
                    "rdefs": {"model": "color"},
                },
            },
            "svartid": _own_words(record, present),
        },
    }
    return json.dumps(document, indent=1).encode()


def array_json(level: StoredLevel, plan: PyramidPlan) -> bytes:
    """zarr.json of one level: shape (3, height, width), shards of square JPEG chunks."""
    edge = plan.tile_edge
    outer = edge * plan.shard_tiles
    document = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": [3, level.size.height, level.size.width],
        "data_type": "uint8",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [3, outer, outer]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 255,
        "dimension_names": ["c", "y", "x"],
        "attributes": {},
        "storage_transformers": [],
        "codecs": [
            {
                "name": "sharding_indexed",
                "configuration": {
                    "chunk_shape": [3, edge, edge],
                    "codecs": _chunk_codecs(level.encoding),
                    "index_codecs": [
                        {"name": "bytes", "configuration": {"endian": "little"}},
                        {"name": "crc32c"},
                    ],
                    "index_location": "end",
                },
            }
        ],
    }
    return json.dumps(document, indent=1).encode()


def jpeg_codec_json(encoding: JpegEncoding) -> dict[str, Any]:
    """The `jpeg` codec's entry in zarr.json, after the proposal in zarr-extensions."""
    configuration = {
        "quality": encoding.quality,
        "encoded_color_space": "ycbcr",
        "subsampling": SUBSAMPLING[encoding.subsampling],
    }
    return {"name": "jpeg", "configuration": configuration}


def shard_key(level: int, row: int, column: int) -> str:
    """Path of a shard below the pyramid, shards counted from the top left."""
    return f"{level}/c/0/{row}/{column}"


def read_group(document: bytes) -> tuple[PyramidRecord, tuple[StoredLevel, ...]]:
    """The record and the levels present, from the group's zarr.json; StoreDamaged otherwise."""
    try:
        words = json.loads(document)["attributes"]["svartid"]
        planned = tuple(_level_from(entry) for entry in words["levels"])
        present = tuple(at for at in planned if at.level in set(words["present"]))
        plan = PyramidPlan(words["tile_edge"], words["shard_tiles"], planned)
        return (
            PyramidRecord(
                slide_id=words["slide_id"],
                fingerprint=words["fingerprint"],
                plan=plan,
                metadata=_metadata_from(words["metadata"]),
                associated=words["associated"],
                icc_profile=words["icc_profile"],
            ),
            present,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise StoreDamaged(f"a pyramid's zarr.json cannot be understood: {error}") from error


def _multiscale(record: PyramidRecord, present: tuple[StoredLevel, ...]) -> dict[str, Any]:
    mpp = record.metadata.mpp
    unit = {"unit": "micrometer"} if mpp else {}
    per_x, per_y = (mpp.x, mpp.y) if mpp else (1.0, 1.0)
    return {
        "name": record.slide_id,
        "type": "mean",
        "axes": [
            {"name": "c", "type": "channel"},
            {"name": "y", "type": "space", **unit},
            {"name": "x", "type": "space", **unit},
        ],
        "datasets": [
            {
                "path": str(at.level),
                "coordinateTransformations": [
                    {"type": "scale", "scale": [1.0, per_y * 2**at.level, per_x * 2**at.level]}
                ],
            }
            for at in present
        ],
    }


def _channel(label: str, color: str) -> dict[str, Any]:
    window = {"start": 0, "end": 255, "min": 0, "max": 255}
    return {"label": label, "color": color, "active": True, "window": window}


def _chunk_codecs(encoding: JpegEncoding | None) -> list[dict[str, Any]]:
    innermost = {"name": "transpose", "configuration": {"order": [1, 2, 0]}}
    if encoding is None:
        raw = {"name": "bytes"}
        zstd = {"name": "zstd", "configuration": {"level": 1, "checksum": True}}
        return [innermost, raw, zstd]
    return [innermost, jpeg_codec_json(encoding)]


def _own_words(record: PyramidRecord, present: tuple[StoredLevel, ...]) -> dict[str, Any]:
    mpp, about = record.metadata.mpp, record.metadata
    return {
        "format": 1,
        "slide_id": record.slide_id,
        "fingerprint": record.fingerprint,
        "tile_edge": record.plan.tile_edge,
        "shard_tiles": record.plan.shard_tiles,
        "levels": [_level_to(at) for at in record.plan.levels],
        "present": [at.level for at in present],
        "metadata": {
            "vendor": about.vendor,
            "mpp": [mpp.x, mpp.y, mpp.origin.value] if mpp else None,
            "objective_power": about.objective_power,
            "scanner": about.scanner,
            "barcode": about.barcode,
            "notices": [notice.value for notice in about.notices],
        },
        "associated": record.associated,
        "icc_profile": record.icc_profile,
    }


def _level_to(at: StoredLevel) -> dict[str, Any]:
    encoding = at.encoding
    return {
        "level": at.level,
        "size": [at.size.width, at.size.height],
        "origin": at.origin.value,
        "jpeg": [encoding.quality, encoding.subsampling] if encoding else None,
    }


def _level_from(entry: dict[str, Any]) -> StoredLevel:
    encoding = JpegEncoding(*entry["jpeg"]) if entry["jpeg"] else None
    return StoredLevel(entry["level"], Size(*entry["size"]), LevelOrigin(entry["origin"]), encoding)


def _metadata_from(words: dict[str, Any]) -> SlideMetadata:
    mpp = words["mpp"]
    return SlideMetadata(
        vendor=words["vendor"],
        mpp=Mpp(mpp[0], mpp[1], MppOrigin(mpp[2])) if mpp else None,
        objective_power=words["objective_power"],
        scanner=words["scanner"],
        barcode=words["barcode"],
        notices=tuple(Notice(word) for word in words["notices"]),
    )
