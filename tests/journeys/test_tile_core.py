"""Tile core from outside: what came in comes back, every byte is proved, a dead base is caught.

Judges: sha256sum, OpenSlide, hashlib and struct on the files, and a slide spoiled with tifffile.
"""

from __future__ import annotations

import hashlib
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import openslide
import pytest
import tifffile

from processing.paint import Painting, write_svs
from tests.flows.test_completion import plainest, spoiled, tissue_tiles
from tests.journeys.running import COMMAND, Running

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def giardia(running: Running, slides_dir: Path) -> dict[str, Any]:
    """A scanner's slide, complete."""
    path = slides_dir / "pyramid-tiff" / "giardia-HE-20x.tif"
    (outcome,) = running.command("ingest", path)
    return running.get(f"/api/v1/slides/{outcome['slide_id']}") | {"path": path}


def sha256sum(path: Path) -> str:
    told = subprocess.run(["sha256sum", path], capture_output=True, text=True, check=True)
    return told.stdout.split()[0].lstrip("\\")


def pyramid(running: Running, slide: dict[str, Any]) -> Path:
    return running.data / "pyramids" / f"{slide['slide_id']}.ome.zarr"


def test_the_original_comes_back_byte_for_byte(
    running: Running, giardia: dict[str, Any], tmp_path: Path
) -> None:
    """And is not there a second time: what is kept of it is a few parts in a thousand."""
    back = tmp_path / "back.tif"
    done = running.run("export", giardia["slide_id"], "--to", "original", "-o", back)
    assert done.returncode == 0, done.stderr
    assert sha256sum(back) == sha256sum(giardia["path"]) == giardia["fingerprint"]
    with openslide.OpenSlide(back) as slide:
        assert slide.dimensions == (giardia["width"], giardia["height"])
    kept = running.data / "originals" / giardia["fingerprint"]
    left = sum(file.stat().st_size for file in kept.rglob("*") if file.is_file())
    assert giardia["original"] == "skeleton"
    assert left < 0.01 * giardia["bytes"]
    stored = sum(file.stat().st_size for file in pyramid(running, giardia).rglob("*")
                 if file.is_file())  # fmt: skip
    assert stored + left == giardia["stored_bytes"] < 1.35 * giardia["bytes"]


def test_one_flipped_bit_is_named_by_level_column_and_row(
    running: Running, giardia: dict[str, Any]
) -> None:
    """The place is worked out here, from the shard's index as the Zarr specification has it."""
    assert running.run("verify", giardia["slide_id"]).returncode == 0
    for level, (shard_column, shard_row), at in ((0, (2, 1), 77), (1, (0, 0), 5)):
        shard = pyramid(running, giardia) / f"{level}/c/0/{shard_row}/{shard_column}"
        data = bytearray(shard.read_bytes())
        index = struct.unpack("<512Q", data[-4100:-4])
        offset, length = index[2 * at], index[2 * at + 1]
        data[offset + length // 2] ^= 4
        whole = shard.read_bytes()
        shard.write_bytes(data)
        try:
            (told,) = running.command("verify", giardia["slide_id"], expect=1)
        finally:
            shard.write_bytes(whole)
        column, row = shard_column * 16 + at % 16, shard_row * 16 + at // 16
        named = f"level {level}, column {column}, row {row}: the tile's bytes have changed"
        assert told["problems"][0] == named
    assert running.run("verify", giardia["slide_id"]).returncode == 0


def climb(digest: bytes, path: list[dict[str, str]]) -> bytes:
    for step in path:
        other = bytes.fromhex(step["digest"])
        pair = other + digest if step["side"] == "left" else digest + other
        digest = hashlib.sha256(b"\x01" + pair).digest()
    return digest


def test_a_receipt_holds_against_the_file_that_was_delivered(
    running: Running, giardia: dict[str, Any]
) -> None:
    """By the command, and by the API with hashlib and the tile the browser gets."""
    words = ("receipt", giardia["slide_id"], "0", "41", "35", "--against", giardia["path"])
    (receipt,) = running.command(*words)
    with running.client("pathologist") as client:
        base = f"/api/v1/slides/{giardia['slide_id']}/tiles/0/41/35/receipt"
        answered = client.get(base).json()
        tile = client.get(f"/slides/{giardia['slide_id']}_files/16/41_35.jpeg").content
    assert answered == {name: receipt[name] for name in answered}
    level_root = climb(hashlib.sha256(b"\0" + tile).digest(), answered["path"])
    leaf = hashlib.sha256(b"\0tiles/0\0" + level_root).digest()
    assert climb(leaf, answered["level_path"]).hex() == giardia["root"]
    with tifffile.TiffFile(giardia["path"]) as tiff:
        page = tiff.pages.first
        at = 35 * -(-page.imagewidth // page.tilewidth) + 41
        source = answered["source"]
        assert (page.dataoffsets[at], page.databytecounts[at]) == (
            source["offset"],
            source["length"],
        )
    wrong = running.run("receipt", giardia["slide_id"], "0", "41", "35", "--against", COMMAND)
    assert wrong.returncode == 1
    assert "does not hold this tile" in wrong.stderr


def test_a_dead_base_never_reaches_a_pathologist(running: Running, tmp_path: Path) -> None:
    """Delivered as scanners deliver; ops sees a map; the worklist does not have it."""
    clean = tmp_path / "clean.svs"
    write_svs(Painting(6000, 4000, seed=9), clean)
    dead = tissue_tiles(clean, 0.09)
    running.drop(spoiled(clean, tmp_path / "dead.svs", dead, plainest), "dead-base.svs")
    row = running.wait_for_state("dead-base.svs", "quarantined", within=90)
    assert row["reason"] == "levels_disagree"
    assert f"{len(dead)} tiles of level 0" in row["detail"]
    listed = running.get("/api/v1/slides", role="pathologist")["slides"]
    assert row["slide_id"] not in {slide["slide_id"] for slide in listed}
    with running.client("ops") as client:
        shown = client.get(f"/api/v1/intake/{row['intake_id']}/map")
    assert shown.content.startswith(b"\x89PNG")
    with running.client("pathologist") as client:
        gone = client.get(f"/slides/{row['slide_id']}.dzi").status_code
    assert gone == 404


def test_the_command_answers_at_once_and_nothing_heavy_is_loaded() -> None:
    quickest = 9.0
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([COMMAND, "--help"], capture_output=True, check=True)
        quickest = min(quickest, time.monotonic() - began)
    assert quickest < 0.3
    heavy = "pandas scipy torch matplotlib sklearn xarray"
    for module in ("flows.cli", "flows.commands.ingest", "viewers.app"):
        script = f"import sys, {module}; print(set('{heavy}'.split()) & set(sys.modules))"
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                              check=True)  # fmt: skip
        assert told.stdout.strip() == "set()", module
    script = "import sys, flows.commands.ingest as at; print('pydicom' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert told.stdout.strip() == "False"
