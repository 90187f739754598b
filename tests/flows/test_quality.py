"""Checks on a stored slide: the report, its maps, who follows the log, what verify says."""

from __future__ import annotations

import errno
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import zarr

from flows.casework_report import unreported
from flows.quality import run_checks, try_checks
from flows.quality_process import Assessor
from flows.quality_verification import verify_quality
from flows.services import Services
from processing.quality import checks as table
from processing.quality.check import CellMap, Field, Measured
from processing.quality.slide_view import SlideView
from processing.quality.sweep import grid_of
from storage import events, quality, quality_maps
from storage.errors import Malformed, NoSpace, NotFound
from storage.exchange.plain import from_plain, to_plain
from storage.quality import Run
from storage.records.quality import (
    Basis,
    HumanVerdict,
    Policy,
    QualityReport,
    QualityState,
    Rule,
)
from tests.contracts.fluorescence import cells, write_ome_tiff
from tests.flows.work import finish

WHO = "laura"


class Shade:
    """A check of the tests: how dark each cell is."""

    id, version, basis, unit = "shade", "1", Basis.RULE, "DN"

    def begin(self, slide: SlideView) -> Shade:
        columns, rows = grid_of(slide)
        self.values = np.full((rows, columns), np.nan, np.float32)
        self.cell = 128 << slide.working
        return self

    def see(self, seen: Field) -> None:
        for row in range(seen.rows):
            for column in range(seen.columns):
                mean = float(seen.cell(row, column).mean())
                self.values[seen.y // 128 + row, seen.x // 128 + column] = mean

    def end(self) -> Measured:
        drawn = CellMap(self.values, self.cell, step=2.0)
        return Measured({"mean": round(float(np.nanmean(self.values)), 2)}, drawn)


class Broken(Shade):
    id = "broken"

    def see(self, seen: Field) -> None:
        raise ZeroDivisionError


FEW = {name: table.TABLE[name] for name in ("tissue.area", "tiles.missing")} | {
    "shade": f"{__name__}:Shade",
    "broken": f"{__name__}:Broken",
}


@pytest.fixture
def slide_id(services: Services, tiny_svs: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(table, "TABLE", FEW)
    return finish(services, tiny_svs).slide_id


def test_a_report_is_kept_and_given_back(services: Services, slide_id: str) -> None:
    made = run_checks(services, slide_id)
    kept = quality.latest(services.database, slide_id)
    assert kept == made
    assert from_plain(QualityReport, json.loads(json.dumps(to_plain(made.report)))) == made.report
    told = events.history(services.database, f"slide:{slide_id}")[-1]
    assert (told.kind, told.data["sha256"]) == ("QualityAssessed", made.sha256)


def test_a_map_is_an_image_of_the_pyramids_own_level(services: Services, slide_id: str) -> None:
    run = run_checks(services, slide_id)
    (finding,) = (at for at in run.report.findings if at.check == "shade")
    assert finding.map is not None
    stored = quality_maps.read_map(services.layout, slide_id, finding.map)
    folder = quality_maps.folder_of(services.layout, slide_id) / finding.map.path
    group = zarr.open_group(folder, mode="r")
    image = group["0"]
    assert isinstance(image, zarr.Array)
    assert np.array_equal(np.asarray(image[:]), stored)
    assert image.shape == (finding.map.rows, finding.map.columns)
    assert finding.map.cell & (finding.map.cell - 1) == 0
    assert finding.map.cell * finding.map.columns >= run.report.size[0]
    (dataset,) = group.attrs["ome"]["multiscales"][0]["datasets"]  # type: ignore[index, call-overload]
    scale, shift = (at for at in dataset["coordinateTransformations"])  # type: ignore[index, call-overload, union-attr]
    assert run.report.mpp is not None
    side = finding.map.cell * run.report.mpp
    assert scale["scale"] == [pytest.approx(side)] * 2  # type: ignore[index, call-overload]
    assert shift["translation"] == [pytest.approx((side - run.report.mpp) / 2)] * 2  # type: ignore[index, call-overload]


def test_a_check_that_breaks_is_an_error_of_its_own(services: Services, slide_id: str) -> None:
    run = run_checks(services, slide_id)
    states = {at.check: at.state for at in run.report.findings}
    assert states.pop("broken") is QualityState.ERROR
    assert QualityState.ERROR not in states.values()
    assert run.report.verdict.state is not QualityState.ERROR


def test_trying_one_check_changes_nothing(services: Services, slide_id: str) -> None:
    whole = run_checks(services, slide_id)
    tried = try_checks(services, slide_id, ["shade"])
    assert [at.check for at in tried.report.findings] == ["shade"]
    assert quality.latest(services.database, slide_id) == whole
    assert verify_quality(services, slide_id) == []


def test_every_slide_is_checked_once(services: Services, slide_id: str) -> None:
    look = Assessor(services, unreported)
    assert (look(), look()) == (1, 0)
    run = quality.latest(services.database, slide_id)
    assert run is not None
    assert {at.check for at in run.report.findings} == set(table.TABLE)


def test_a_check_that_takes_the_process_along_is_given_up(
    services: Services, slide_id: str
) -> None:
    for _ in range(quality.MOST_TRIES):
        quality.begin(services.database, slide_id)
    look = Assessor(services, unreported)
    assert look() == 1
    run = quality.latest(services.database, slide_id)
    assert run is not None
    assert run.report.verdict.state is QualityState.ERROR
    assert look() == 0


def test_channels_are_not_evaluated_and_say_so(services: Services, tmp_path: Path) -> None:
    write_ome_tiff(tmp_path / "cells.ome.tif", cells())
    slide = finish(services, tmp_path / "cells.ome.tif")
    assert Assessor(services, unreported)() == 1
    run = quality.latest(services.database, slide.slide_id)
    assert run is not None
    assert run.report.verdict.state is QualityState.NOT_EVALUATED
    assert {(at.state, at.reason) for at in run.report.findings} == {
        (QualityState.NOT_EVALUATED, "in_channels")
    }


def test_what_is_not_ready_does_not_count_as_a_try(
    services: Services, slide_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as full:
        full.setattr(quality_maps, "write_run", _disk_full)
        look = Assessor(services, unreported)
        for _ in range(2 * quality.MOST_TRIES):
            with pytest.raises(NoSpace):
                look()
    assert Assessor(services, unreported)() == 1
    run = quality.latest(services.database, slide_id)
    assert run is not None
    assert run.report.verdict.state is not QualityState.ERROR


def _disk_full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_slide_that_cannot_be_looked_at_is_given_up_and_holds_up_no_other(
    services: Services, slide_id: str, painted_svs: Path
) -> None:
    other = finish(services, painted_svs).slide_id
    (services.pyramids.path(slide_id) / "zarr.json").write_text("{")
    look = Assessor(services, unreported)
    assert look() == 2
    assert quality.latest(services.database, other) is not None
    for _ in range(quality.MOST_TRIES):
        Assessor(services, unreported)()
    run = quality.latest(services.database, slide_id)
    assert run is not None
    assert run.report.verdict.state is QualityState.ERROR
    assert Assessor(services, unreported)() == 0


def test_two_at_once_are_two_reports(services: Services, slide_id: str) -> None:
    with ThreadPoolExecutor(3) as threads:
        made = [threads.submit(run_checks, services, slide_id) for _ in range(3)]
        entered = {one.result().report.run_id for one in made}
    assert {at.report.run_id for at in quality.runs(services.database, slide_id)} == entered
    assert verify_quality(services, slide_id) == []


def test_what_a_killed_run_left_is_named_and_tidied_away(services: Services, slide_id: str) -> None:
    kept = run_checks(services, slide_id).report.run_id
    folder = quality_maps.folder_of(services.layout, slide_id)
    for name in ("written", "half.part"):
        shutil.copytree(folder / kept, folder / name)
    assert verify_quality(services, slide_id) == []  # somebody may be about to enter them
    for name in ("written", "half.part"):
        os.utime(folder / name, (1e9, 1e9))
    assert len(verify_quality(services, slide_id)) == 2
    run_checks(services, slide_id)
    assert verify_quality(services, slide_id) == []
    assert not (folder / "written").exists()


def test_a_person_has_the_last_word(services: Services, slide_id: str) -> None:
    run = run_checks(services, slide_id)
    with pytest.raises(Malformed):
        _say(services, run, "released", " ")
    with pytest.raises(Malformed):
        _say(services, run, "wonderful", "why not")
    assert _say(services, run, "released", "small biopsy").human is not None
    kept = quality.latest(services.database, slide_id)
    assert kept is not None
    assert kept.human is not None
    assert (kept.human.state, kept.human.by, kept.human.note) == (
        "released",
        WHO,
        "small biopsy",
    )
    with pytest.raises(NotFound):
        quality.get(services.database, "another", run.report.run_id)


def _say(services: Services, run: Run, state: str, note: str) -> Run:
    said = HumanVerdict(state, WHO, note, run.report.at)
    with services.database.transaction() as connection:
        return quality.say_in(connection, run.report.slide_id, run.report.run_id, said)


def test_the_policy_that_fits_best_decides(services: Services, slide_id: str) -> None:
    everywhere = Policy("all", 0, (Rule("shade", "mean", 300.0),), off=("broken",))
    one = Policy("he", 0, (Rule("shade", "mean", 1.0),), stain="HE")
    assert quality.keep_policy(services.database, everywhere, WHO).version == 1
    assert quality.keep_policy(services.database, everywhere, WHO).version == 2
    quality.keep_policy(services.database, one, WHO)
    run = run_checks(services, slide_id)
    assert (run.report.policy.policy_id, run.report.policy.version) == ("all", 2)
    states = {at.check: (at.state, at.reason) for at in run.report.findings}
    assert states["broken"] == (QualityState.NOT_EVALUATED, "switched_off")
    assert states["shade"][0] is QualityState.PASS
    best = quality.policy_for(services.database, "S", "HE")
    assert best is not None
    assert best.policy_id == "he"


def test_one_flipped_byte_of_a_map_is_found(services: Services, slide_id: str) -> None:
    run = run_checks(services, slide_id)
    assert verify_quality(services, slide_id) == []
    (finding,) = (at for at in run.report.findings if at.check == "shade")
    assert finding.map is not None
    folder = quality_maps.folder_of(services.layout, slide_id)
    chunk = folder / finding.map.path / "0" / "c" / "0" / "0"
    data = bytearray(chunk.read_bytes())
    data[len(data) // 2] ^= 1
    chunk.write_bytes(data)
    (folder / "stray").write_text("?")
    problems = verify_quality(services, slide_id)
    assert len(problems) == 2
    assert any("shade" in at for at in problems)
    assert any("stray" in at for at in problems)
