"""Say where a tile's bytes come from, and prove that they are the ones read in.

Prints the byte range in the original (its SHA-256 named), the byte range in the store, the tile's
digest, and the Merkle path from it to the scan's root, which stands in the database and in the
event log. With --against the range is read from a file you hold and compared with the stored tile.

examples:
  svartid receipt 66126c5b29721bf74129 0 41 35
  svartid receipt 66126c5b29721bf74129 0 41 35 --json | jq .source
  svartid receipt 66126c5b29721bf74129 0 41 35 --against slide.svs

exit code: 0 it holds, 1 it does not
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from flows.commands.common import complain, print_json, services_of
from flows.services import Services
from storage import merkle
from storage.catalogue import get_slide
from storage.errors import NotFound
from storage.proof import entry_leaf
from storage.receipts import receipt
from storage.tiles import TileStore

SUMMARY = "say where a tile comes from, and prove it"
_SOI = b"\xff\xd8"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("slide_id")
    parser.add_argument("level", type=int, help="0 is full size")
    parser.add_argument("column", type=int)
    parser.add_argument("row", type=int)
    parser.add_argument("--channel", type=int, default=0, help="of a fluorescence slide")
    parser.add_argument("--against", type=Path, metavar="FILE", help="the original as you hold it")
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the receipt, and whether it holds."""
    services = services_of(args)
    slide = get_slide(services.database, args.slide_id)
    if slide.root is None:
        raise NotFound("the slide is not proved yet; its last levels are being made")
    place = (args.level, args.column, args.row)
    found = receipt(services.pyramids, slide, place, args.channel)
    problems = _problems(services, found, args.against)
    if args.json:
        print_json(found | {"holds": not problems, "problems": problems})
    else:
        _tell(found)
        for problem in problems:
            complain(f"svartid receipt: {problem}")
    return 1 if problems else 0


def _problems(services: Services, found: dict[str, Any], against: Path | None) -> list[str]:
    problems, tile = [], _tile(services, found)
    digest = merkle.ABSENT_LEAF if tile is None else merkle.leaf(tile)
    if digest.hex() != found["digest"]:
        problems.append("the stored tile is not the one that was proved")
    level_root = merkle.climb(digest, _steps(found["path"]))
    entry = entry_leaf(f"tiles/{found['level']}", level_root)
    if merkle.climb(entry, _steps(found["level_path"])).hex() != found["root"]:
        problems.append("its path does not lead to the scan's root")
    if against is not None and not _same(tile, found["source"], against):
        problems.append(f"{against} does not hold this tile at the place the receipt names")
    return problems


def _tile(services: Services, found: dict[str, Any]) -> bytes | None:
    if found["stored"] is None:
        return None
    store = TileStore(services.pyramids)
    place = found["level"], found["column"], found["row"]
    return store.stored(store.pyramid(found["slide_id"]), *place)


def _same(tile: bytes | None, source: dict[str, Any], against: Path) -> bool:
    if tile is None or source["offset"] is None:
        return False
    theirs = _range(against, source["offset"], source["length"])
    head = bytes.fromhex(source["head"])
    return tile == (head + theirs[len(_SOI) :] if head else theirs)


def _range(path: Path, offset: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def _steps(path: list[dict[str, str]]) -> list[tuple[str, bytes]]:
    return [(step["side"], bytes.fromhex(step["digest"])) for step in path]


def _tell(found: dict[str, Any]) -> None:
    source, stored = found["source"], found["stored"]
    print(f"tile      level {found['level']}, column {found['column']}, row {found['row']}, "
          f"{found['origin']}")  # fmt: skip
    if source["offset"] is not None:
        print(f"original  {source['length']} bytes at {source['offset']} of {source['file']}")
    elif source["from_level"] is not None:
        print(f"original  made from level {source['from_level']}")
    else:
        print("original  its pixels, encoded once")
    print(f"          sha256 {source['fingerprint']}")
    if stored:
        print(f"stored    {stored['length']} bytes at {stored['offset']} of {stored['file']}")
    print(f"digest    {found['digest']}")
    print(f"root      {found['root']}  ({len(found['path']) + len(found['level_path'])} steps)")
