"""The slides the issue names, delivered by command, watch folder and upload."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.journeys.running import Running

BY_COMMAND = {
    "giardia": "pyramid-tiff/giardia-HE-20x.tif",
    "tcga": "aperio/TCGA-CR-7395-01A-01-TS1.svs",
    "ndpi": "hamamatsu/test3-DAPI-2-387.ndpi",
    "cmu-dicom": "dicom-wsi/cmu-1-small-region",
    "camelyon": "dicom-wsi/multi_frame_jpeg_camelyon_challenge_image.dcm",
    "ome-1": "ome-tiff/OS-1-detail.ome.tif",
    "strip": "generic-tiff/kidney-48-5.tif",
}
BY_WATCH_FOLDER = {"cmu-svs": "aperio/CMU-1-Small-Region.svs"}
BY_UPLOAD = {"ome-2": "ome-tiff/OS-2-ndpi.ome.tif"}
SLIDES = BY_COMMAND | BY_WATCH_FOLDER | BY_UPLOAD
BROKEN = "aperio/broken.svs"
"""A stump that nothing opens: it has to end in quarantine."""
_TUS = {"Tus-Resumable": "1.0.0"}


@dataclass(frozen=True)
class Delivered:
    """A slide that has been read in: the scanner's file, and the pyramid made of it."""

    slide_id: str
    source: Path
    pyramid: Path
    document: dict[str, Any]
    """What the API says about it."""


def deliver(running: Running, slides: Path) -> dict[str, Delivered]:
    """All of them; returns when every pyramid is complete."""
    running.drop(slides / BROKEN, "broken.svs")
    names = {}
    for key, path in BY_WATCH_FOLDER.items():
        names[key] = Path(path).name
        running.drop(slides / path, names[key])
    for key, path in BY_UPLOAD.items():
        names[key] = Path(path).name
        upload(running, slides / path, names[key])
    lines = running.command("ingest", *(slides / path for path in BY_COMMAND.values()))
    assert [line["status"] for line in lines] == ["ready"] * len(BY_COMMAND), lines
    assert all(line["complete_seconds"] and line["error"] is None for line in lines)
    ids = dict(zip(BY_COMMAND, (line["slide_id"] for line in lines), strict=True))
    for key, name in names.items():
        ids[key] = running.wait_for_state(name, "complete")["slide_id"]
    running.wait_for_state("broken.svs", "quarantined")
    return {
        key: Delivered(
            slide_id,
            slides / SLIDES[key],
            running.pyramid(slide_id),
            running.get(f"/api/v1/slides/{slide_id}"),
        )
        for key, slide_id in ids.items()
    }


def upload(running: Running, source: Path, name: str) -> None:
    """As a scanner's program would over a bad line: half, a question how far it came, the rest."""
    data = source.read_bytes()
    half = len(data) // 2
    with running.client("technician") as client:
        answer = client.post(
            "/api/v1/uploads",
            headers=_TUS
            | {
                "Upload-Length": str(len(data)),
                "Upload-Metadata": f"filename {b64encode(name.encode()).decode()}",
            },
        )
        assert answer.status_code == 201, answer.text
        place = httpx.URL(answer.headers["location"]).path
        _patch(client, place, 0, data[:half])
        offset = int(client.head(place, headers=_TUS).headers["upload-offset"])
        assert offset == half
        _patch(client, place, offset, data[offset:])


def _patch(client: httpx.Client, place: str, offset: int, data: bytes) -> None:
    headers = {"Upload-Offset": str(offset), "Content-Type": "application/offset+octet-stream"}
    answer = client.patch(place, content=data, headers=_TUS | headers)
    assert answer.status_code == 204, answer.text
    assert int(answer.headers["upload-offset"]) == offset + len(data)
