"""A cold slide is the same slide, and on its way there or back it is never in danger."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows import cold
from flows.cli import main
from flows.cold import move_to
from flows.housekeeping import remove_litter
from flows.ingest import read_in
from flows.originals import locked
from flows.services import Services
from flows.skeletons import give_back
from flows.verification import verify_slide
from processing.paint import Painting, write_svs
from processing.tiles import Tiles
from storage import ngff
from storage.catalogue import get_slide, slides
from storage.errors import NoSpace, NotFound, Refused, StoreDamaged, Transient
from storage.events import history
from storage.exchange.slide_json import slide_json
from storage.receipts import receipt
from storage.records.intake import IntakeState
from storage.records.slide import Slide, Tier
from storage.shards import Shard
from storage.tables import slide as slide_table
from storage.tiles import TileStore
from tests.flows.test_verification import every_flip_is_found, flip
from tests.flows.work import claim, deliver, files_below, finish


def tree(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files_below(folder)
    }


def cool(services: Services, slide: Slide) -> Slide:
    return move_to(services, slide.slide_id, Tier.COLD, "tester")


def thaw(services: Services, slide: Slide) -> Slide:
    return move_to(services, slide.slide_id, Tier.WARM, "tester")


def places(services: Services, slide: Slide) -> Iterator[tuple[int, int, int]]:
    plan = services.pyramids.describe(slide.slide_id)[0].plan
    for at in plan.levels:
        grid = at.size.in_tiles(plan.tile_edge)
        for row in range(grid.height):
            for column in range(grid.width):
                yield at.level, column, row


def tiles_of(services: Services, slide: Slide) -> dict[tuple[int, int, int], bytes | None]:
    store = TileStore(services.pyramids)
    pyramid = store.pyramid(slide.slide_id)
    return {at: store.stored(pyramid, *at) for at in places(services, slide)}


def warm(services: Services, slide: Slide) -> Path:
    return services.pyramids.place(slide.slide_id, Tier.WARM)


def cooled(services: Services, slide: Slide) -> Path:
    return services.pyramids.place(slide.slide_id, Tier.COLD)


@pytest.mark.parametrize("kind", ["tiny_svs", "tiny_dicom"])
def test_there_and_back(
    services: Services, request: pytest.FixtureRequest, kind: str, tmp_path: Path
) -> None:
    slide = finish(services, request.getfixturevalue(kind))
    before, tiles = tree(warm(services, slide)), tiles_of(services, slide)
    small = cool(services, slide)
    assert not warm(services, slide).exists()
    assert tiles_of(services, slide) == tiles
    give_back(services, slide, tmp_path / "original")  # which compares the fingerprint
    stored = sum(path.stat().st_size for path in files_below(cooled(services, slide)))
    bare = services.layout.originals / slide.fingerprint / ".skeleton"
    assert small.stored_bytes == stored + bare.stat().st_size
    assert slide.stored_bytes is not None
    assert small.stored_bytes < slide.stored_bytes
    assert (slide_json(slide)["tier"], slide_json(small)["tier"]) == ("warm", "cold")
    assert thaw(services, slide) == slide
    assert tree(warm(services, slide)) == before
    assert not cooled(services, slide).exists()
    *_, first, second = history(services.database, f"slide:{slide.slide_id}")
    assert (first.kind, second.kind, first.actor) == ("SlideCooled", "SlideThawed", "tester")
    assert first.data["bytes_before"] == second.data["bytes_after"] == slide.stored_bytes
    assert first.data["bytes_after"] == second.data["bytes_before"] == stored + bare.stat().st_size


@pytest.mark.parametrize(
    "name",
    [
        "aperio/CMU-1-Small-Region.svs",
        "pyramid-tiff/giardia-HE-40x-crop.tif",
        "generic-tiff/kidney-48-5.tif",
    ],
)
def test_real_slides_there_and_back(
    services: Services, slides_dir: Path, name: str, tmp_path: Path
) -> None:
    slide = finish(services, slides_dir / name)
    before = tree(warm(services, slide))
    cool(services, slide)
    assert verify_slide(services, slide)[1] == []
    give_back(services, slide, tmp_path / "original")
    thaw(services, slide)
    assert tree(warm(services, slide)) == before


def test_every_flipped_bit_is_found_while_cold(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    small = cool(services, slide)
    tiles, problems = verify_slide(services, small)
    assert (tiles, problems) == (verify_slide(services, slide)[0], [])
    roots = [cooled(services, slide), services.layout.originals / slide.fingerprint]
    assert every_flip_is_found(services, small, roots, each=4) > 40


def test_the_changed_tile_is_named(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    cool(services, slide)
    per = services.pyramids.describe(slide.slide_id)[0].plan.shard_tiles
    for level, column, row in places(services, slide):
        key = ngff.shard_key(level, row // per, column // per)
        path = cooled(services, slide) / key
        shard = Shard.open(path, per * per)
        assert shard is not None
        place = shard.place(row % per * per + column % per)
        assert place is not None
        for at in (place[0], place[0] + place[1] // 2, sum(place) - 1):
            flip(path, at, 3)
            problems = verify_slide(services, slide)[1]
            flip(path, at, 3)
            named = f"level {level}, column {column}, row {row}: the tile's bytes have changed"
            assert problems[0] == named
            told = receipt(services.pyramids, slide, (level, column, row))["stored"]
            assert told == {"tier": "cold", "file": key, "offset": place[0], "length": place[1]}


def test_missing_and_foreign_files_while_cold(services: Services, tiny_svs: Path) -> None:
    slide = cool(services, finish(services, tiny_svs))
    for path in files_below(cooled(services, slide)):
        kept = path.read_bytes()
        path.unlink()
        assert verify_slide(services, slide)[1], path
        path.write_bytes(kept)
    (cooled(services, slide) / "stranger").write_bytes(b"")
    assert verify_slide(services, slide)[1] == ["stranger does not belong here"]


def test_what_is_damaged_stays_where_it_is(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    for tier, other in ((Tier.WARM, Tier.COLD), (Tier.COLD, Tier.WARM)):
        folder = services.pyramids.place(slide.slide_id, tier)
        for path in files_below(folder):
            flip(path, 40, 1)
            before = tree(folder)
            with pytest.raises(StoreDamaged):
                move_to(services, slide.slide_id, other, "tester")
            assert tree(folder) == before
            flip(path, 40, 1)
        (folder / "stranger").write_bytes(b"mine")
        with pytest.raises(StoreDamaged, match="stranger"):
            move_to(services, slide.slide_id, other, "tester")
        (folder / "stranger").unlink()
        assert not services.pyramids.place(slide.slide_id, other).exists()
        assert not list(services.layout.root.glob(f"*/{slide.slide_id}.part"))
        move_to(services, slide.slide_id, other, "tester")
    assert verify_slide(services, slide)[1] == []


def test_what_has_no_proof_stays_warm(services: Services, tiny_svs: Path) -> None:
    row = deliver(services, tiny_svs)
    claim(services, row, IntakeState.RECEIVED)
    read_in(services, row.intake_id)
    with pytest.raises(Refused, match="not complete"):
        move_to(services, row.slide_id, Tier.COLD, "tester")
    with pytest.raises(NotFound):
        move_to(services, "0" * 20, Tier.COLD, "tester")
    assert list(services.layout.cold.iterdir()) == []


def test_a_lossless_slide_has_nothing_to_gain(
    services: Services, slides_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = slides_dir / "generic-tiff" / "kidney-48-5.tif"
    assert main(["ingest", "--lossless", str(path)]) == 0
    (slide,) = slides(services.database)
    with pytest.raises(Refused, match="nothing to gain"):
        cool(services, slide)
    capsys.readouterr()
    assert svartid(capsys, "cold", slide.slide_id)[0] == 1
    code, out, _ = svartid(capsys, "cold", "--older-than", "0d", "--json")
    assert (code, json.loads(out)["status"]) == (0, "refused")
    assert verify_slide(services, slide)[1] == []


def test_one_process_at_a_time(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    with (
        locked(services.layout.originals / slide.fingerprint),
        pytest.raises(Transient, match="at work"),
    ):
        cool(services, slide)
    assert cool(services, slide).tier is Tier.COLD
    assert cool(services, slide).tier is Tier.COLD


def test_a_full_disk(services: Services, tmp_path: Path, small_disk: Path) -> None:
    path = tmp_path / "painted.svs"
    write_svs(Painting(3000, 2000, seed=9), path)
    slide = finish(services, path)
    before = tree(warm(services, slide))
    services.layout.cold.rmdir()
    services.layout.cold.symlink_to(small_disk)  # the cold tier on a disk of its own
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(4 * 2**20 - 100_000))
    with pytest.raises(NoSpace, match="disk is full"):
        cool(services, slide)
    assert list(small_disk.iterdir()) == [ballast]
    assert (tree(warm(services, slide)), get_slide(services.database, slide.slide_id)) == (
        before,
        slide,
    )
    ballast.unlink()
    assert verify_slide(services, cool(services, slide))[1] == []
    thaw(services, slide)
    assert tree(warm(services, slide)) == before


_KILLED = """
import os, shutil, sys
from pathlib import Path
from flows import cold
from flows.services import open_services
from storage import catalogue, pyramids, tiers
from storage.records.slide import Tier
from storage.settings import read_settings
step, when, slide_id, tier = sys.argv[1:]
where = {"cool_tile": cold, "write_shard": cold, "draft_for": cold, "_copy": cold,
         "publish_draft": cold, "change_tier": cold, "_settle": cold,
         "record": catalogue, "sync_tree": tiers, "rmtree": shutil}[step]
known, armed = getattr(where, step), step != "rmtree"
def killed(*words, **more):
    if step == "rmtree" and not (str(words[0]).endswith(".removed") and Path(words[0]).exists()):
        return known(*words, **more)
    if when == "after":
        known(*words, **more)
    os._exit(9)
setattr(where, step, killed)
cold.move_to(open_services(read_settings()), slide_id, Tier(tier), "killed")
"""
STEPS = [
    ("draft_for", "after"),
    ("_copy", "after"),
    ("write_shard", "after"),
    ("sync_tree", "before"),
    ("publish_draft", "before"),
    ("publish_draft", "after"),
    ("record", "after"),
    ("change_tier", "after"),
    ("rmtree", "before"),
    ("_settle", "after"),
]


@pytest.mark.parametrize("tier", list(Tier))
def test_killed_at_any_step(services: Services, tiny_svs: Path, tier: Tier, tmp_path: Path) -> None:
    slide = finish(services, tiny_svs)
    other = Tier.WARM if tier is Tier.COLD else Tier.COLD
    tiles, ended = tiles_of(services, slide), []
    for step, when in STEPS:
        move_to(services, slide.slide_id, other, "tester")
        words = [sys.executable, "-c", _KILLED, step, when, slide.slide_id, tier.value]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 9, (step, done.stderr)
        assert tiles_of(services, slide) == tiles, (step, when)  # as it was left
        remove_litter(services)
        known = get_slide(services.database, slide.slide_id)
        lies = [at for at in Tier if services.pyramids.place(slide.slide_id, at).exists()]
        assert lies == [known.tier], (step, when)
        entries = [*services.layout.cold.iterdir(), *services.layout.pyramids.iterdir()]
        assert len(entries) == 1, (step, when)
        assert verify_slide(services, known)[1] == [], (step, when)
        ended.append(known.tier is tier)
    assert ended == [False] * 7 + [True] * 3
    kinds = [event.kind for event in history(services.database, f"slide:{slide.slide_id}")]
    moves = [kind for kind in kinds if kind in {"SlideCooled", "SlideThawed"}]
    assert all(one != two for one, two in pairwise(moves))


def test_the_database_is_away_at_the_last_step(
    services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = finish(services, tiny_svs)

    def away(*_: object) -> None:
        raise Transient("the database did not answer")

    monkeypatch.setattr(cold, "change_tier", away)
    with pytest.raises(Transient):
        cool(services, slide)
    assert list(services.layout.cold.iterdir()) == []
    assert verify_slide(services, slide)[1] == []


def test_a_catalogue_out_of_an_older_backup(services: Services, tiny_svs: Path) -> None:
    """It says warm, and only the cold form is there: nothing is removed, and it learns."""
    slide = finish(services, tiny_svs)
    small = cool(services, slide)
    with services.database.transaction() as connection:
        connection.execute(
            sa.update(slide_table).values(tier="warm", stored_bytes=slide.stored_bytes)
        )
    remove_litter(services)
    assert verify_slide(services, get_slide(services.database, slide.slide_id))[1] == []
    assert cool(services, slide) == small
    assert files_below(cooled(services, slide))
    assert thaw(services, small) == slide
    assert verify_slide(services, slide)[1] == []


def test_reading_goes_on_while_a_slide_moves(services: Services, tiny_svs: Path) -> None:
    slide = finish(services, tiny_svs)
    expected = tiles_of(services, slide)
    shown = Tiles(TileStore(services.pyramids), services.layout.made)
    stop, wrong, rounds = threading.Event(), list[object](), 0

    def read() -> None:
        nonlocal rounds
        while not stop.is_set():
            rounds += 1
            fresh = Tiles(TileStore(services.pyramids), services.layout.made)
            for tiles in (shown, fresh):
                pyramid = tiles.pyramid(slide.slide_id)
                for at, data in expected.items():
                    try:
                        if tiles.shown(pyramid, *at) != data:
                            wrong.append(at)
                    except Exception as error:
                        wrong.append(error)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for _ in range(8):
        cool(services, slide)
        assert verify_slide(services, slide)[1] == []
        thaw(services, slide)
    stop.set()
    for reader in readers:
        reader.join()
    assert (wrong, rounds > 4) == ([], True)


def svartid(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command(
    services: Services, tiny_svs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = finish(services, tiny_svs)
    pyramid = tree(warm(services, slide))
    assert svartid(capsys, "cold", "--older-than", "1d") == (
        0,
        "no warm slide is as old as that\n",
        "",
    )
    code, out, _ = svartid(capsys, "cold", "--older-than", "0d", "--json")
    told = json.loads(out)
    assert (code, told["status"], told["tier"]) == (0, "cooled", "cold")
    assert told["bytes_before"] == slide.stored_bytes > told["bytes_after"]
    assert svartid(capsys, "cold", "--older-than", "0d", "--json") == (0, "", "")
    assert json.loads(svartid(capsys, "cold", slide.slide_id, "--json")[1])["status"] == "unchanged"
    assert json.loads(svartid(capsys, "slides", "--json")[1])["tier"] == "cold"
    assert "cold" in svartid(capsys, "slides")[1]
    assert svartid(capsys, "verify")[0] == 0
    assert (
        svartid(capsys, "receipt", slide.slide_id, "0", "1", "1", "--against", str(tiny_svs))[0]
        == 0
    )
    for kind in ("original", "ome-zarr"):
        words = ("export", slide.slide_id, "--to", kind, "-o", str(tmp_path / kind))
        assert svartid(capsys, *words) == (0, "", "")
    assert (tmp_path / "original").read_bytes() == tiny_svs.read_bytes()
    assert tree(tmp_path / "ome-zarr") == pyramid
    code, out, _ = svartid(capsys, "cold", "--thaw", slide.slide_id)
    assert code == 0
    assert "thawed" in out
    assert tree(warm(services, slide)) == pyramid


def test_the_command_says_what_is_wrong(
    services: Services, tiny_svs: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = finish(services, tiny_svs)
    assert svartid(capsys, "cold")[0] == 2
    assert svartid(capsys, "cold", slide.slide_id, "--older-than", "1d")[0] == 2
    assert svartid(capsys, "cold", "--thaw", "--older-than", "1d")[0] == 2
    with pytest.raises(SystemExit):
        main(["cold", "--older-than", "long"])
    assert "is no age" in capsys.readouterr().err
    code, out, err = svartid(capsys, "cold", "0" * 20, slide.slide_id)
    assert code == 1
    assert "not_found" in err
    assert slide.slide_id in out
