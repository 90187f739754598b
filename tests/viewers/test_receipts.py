"""A tile's receipt by the API, checked with nothing but hashlib and the original file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import sqlalchemy as sa

from storage.tables import access_log
from tests.viewers.conftest import Ask, Shop


def climb(digest: bytes, path: list[dict[str, str]]) -> bytes:
    for step in path:
        other = bytes.fromhex(step["digest"])
        pair = other + digest if step["side"] == "left" else digest + other
        digest = hashlib.sha256(b"\x01" + pair).digest()
    return digest


@pytest.mark.parametrize("place", [(0, 0, 0), (0, 2, 1), (1, 1, 0), (2, 0, 0)])
def test_a_receipt_proves_the_tile(
    place: tuple[int, int, int], ask: Ask, shop: Shop, painted_svs: Path
) -> None:
    level, column, row = place
    client = ask("pathologist")
    slide = client.get(f"/api/v1/slides/{shop.svs}").json()
    address = f"/api/v1/slides/{shop.svs}/tiles/{level}/{column}/{row}/receipt"
    receipt = client.get(address).json()
    top = (max(slide["width"], slide["height"]) - 1).bit_length()
    tile = client.get(f"/slides/{shop.svs}_files/{top - level}/{column}_{row}.jpeg").content
    assert hashlib.sha256(b"\x00" + tile).hexdigest() == receipt["digest"]
    level_root = climb(bytes.fromhex(receipt["digest"]), receipt["path"])
    entry = f"tiles/{level}".encode() + b"\0" + level_root
    root = climb(hashlib.sha256(b"\x00" + entry).digest(), receipt["level_path"])
    assert root.hex() == receipt["root"] == slide["root"]
    source = receipt["source"]
    original = painted_svs.read_bytes()
    assert source["fingerprint"] == hashlib.sha256(original).hexdigest()
    if receipt["origin"] == "derived":
        assert (source["offset"], source["from_level"]) == (None, level - 1)
        return
    theirs = original[source["offset"] : source["offset"] + source["length"]]
    head = bytes.fromhex(source["head"])
    assert tile == (head + theirs[2:] if head else theirs)


def test_a_receipt_is_for_those_who_may_see_the_slide(ask: Ask, shop: Shop) -> None:
    address = f"/api/v1/slides/{shop.svs}/tiles/0/0/0/receipt"
    assert ask(None).get(address).status_code == 401
    assert ask("secretary").get(address).status_code == 403
    assert ask("pathologist").get(address).status_code == 200
    newest = sa.select(access_log).order_by(access_log.c.entry_id.desc()).limit(1)
    with shop.services.database.reading() as connection:
        last = connection.execute(newest).one()
    assert (last.name, last.action, last.slide_id) == ("pathologist", "receipt", shop.svs)


@pytest.mark.parametrize("place", ["9/0/0", "0/99/0", "0/0/99", "-1/0/0", "0/-1/0"])
def test_no_receipt_for_no_tile(place: str, ask: Ask, shop: Shop) -> None:
    answer = ask("pathologist").get(f"/api/v1/slides/{shop.svs}/tiles/{place}/receipt")
    assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


def test_the_map_of_a_file_without_findings(ask: Ask, shop: Shop) -> None:
    address = f"/api/v1/intake/{shop.quarantined.intake_id}/map"
    assert ask("pathologist").get(address).status_code == 403
    assert ask("ops").get(address).status_code == 404
    findings = shop.settings.layout.findings / shop.quarantined.fingerprint
    findings.mkdir()
    (findings / "levels.png").write_bytes(b"png")
    answer = ask("ops").get(address)
    assert (answer.status_code, answer.content) == (200, b"png")
    assert answer.headers["content-type"] == "image/png"
