"""`svartid up`: two side by side, what it refuses, and life without Prefect."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from processing.paint import Painting, write_svs
from tests.journeys.running import COMMAND, Running, clean_environment, free_port, wait_for

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def second(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Another instance beside the first, on its own data."""
    with Running(tmp_path_factory.mktemp("second"), SVARTID_SETTLE_SECONDS="0.5") as up:
        yield up


def test_two_instances_run_side_by_side(running: Running, second: Running, tmp_path: Path) -> None:
    write_svs(Painting(900, 700, seed=77), tmp_path / "second.svs")  # which the first never saw
    (line,) = second.command("ingest", tmp_path / "second.svs", "--until", "ready")
    assert line["status"] == "ready"
    assert 0 < line["seconds"] < 20
    path = f"/api/v1/slides/{line['slide_id']}"
    assert second.get(path)["slide_id"] == line["slide_id"]
    with running.client("ops") as client:
        assert client.get(path).status_code == 404
    for here, there in ((running, second), (second, running)):
        token = there.token("ops")
        answer = httpx.get(f"{here.url}/api/v1/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401
        assert httpx.get(f"{here.url}/readyz").json()["status"] == "ready"
    pids = [{at["pid"] for at in up.get("/api/v1/ops")["processes"]} for up in (running, second)]
    assert len(pids[0] | pids[1]) == 12


def test_the_password_is_random_and_shown_once(running: Running, second: Running) -> None:
    assert running.password != second.password
    assert running.log.read_text().count(running.password) == 1
    kept = [file for file in (running.data / "logs").rglob("*") if file.is_file()]
    assert kept
    assert not any(running.password in file.read_text(errors="replace") for file in kept)


def test_a_second_up_on_the_same_data_is_refused(running: Running) -> None:
    done = _up("--data", running.data, "--port", free_port())
    assert done.returncode == 1
    assert "another one runs" in done.stderr


def test_a_taken_port_is_said(running: Running, tmp_path: Path) -> None:
    done = _up("--data", tmp_path / "data", "--port", running.port)
    assert done.returncode == 1
    assert f"port {running.port} is taken" in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "10.1.2.3", "::", "pathology.example"])
def test_a_host_others_can_reach_needs_a_certificate(host: str, tmp_path: Path) -> None:
    done = _up("--data", tmp_path / "data", "--host", host, "--port", free_port())
    assert done.returncode == 2
    assert "--certificate" in done.stderr
    assert "--behind-proxy" in done.stderr
    assert not (tmp_path / "data").exists()


def _up(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "up", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=30,
        env=clean_environment(),
    )


@pytest.mark.timeout(180)
def test_with_prefect_down_slides_are_read_and_reported_later(
    second: Running, painted_dicom: Path
) -> None:
    _kill_and_keep_down(second, "prefect")
    began = time.monotonic()
    (line,) = second.command("ingest", painted_dicom)
    assert line["status"] == "ready"
    assert time.monotonic() - began < 20
    slide_id = line["slide_id"]
    with second.client("pathologist") as client:
        assert client.get(f"/api/v1/slides/{slide_id}").status_code == 200
        assert client.get(f"/slides/{slide_id}_files/8/0_0.jpeg").status_code == 200
        assert client.get(f"/slides/{slide_id}.dzi").status_code == 200
    assert httpx.get(f"{second.url}/readyz").status_code == 200

    def reported() -> dict[str, Any] | None:
        runs = second.get("/api/v1/ops")["flow_runs"]
        ended = [run for run in runs if run["state"] == "Complete"]
        return next((run for run in ended if run["slide_id"] == slide_id), None)

    wait_for(reported, 90, f"the run is reported\n{second.log_tail()}")
    assert _process(second, "prefect")["restarts"] >= 1


def test_every_process_comes_back(second: Running) -> None:
    for name in ("dispatcher", "watch", "web"):
        before = _process(second, name)
        os.killpg(before["pid"], signal.SIGKILL)

        def back(name: str = name, pid: int = before["pid"]) -> bool:
            try:
                now = _process(second, name)
            except httpx.HTTPError:
                return False
            return now["state"] == "running" and now["pid"] != pid

        wait_for(back, 40, f"{name} comes back\n{second.log_tail()}")


def test_the_doctor_finds_it_well(second: Running) -> None:
    done = second.run("doctor")
    assert done.returncode == 0, done.stdout
    for word in ("python", "zarr", "free disk", "database", f"running at {second.url}", "prefect"):
        assert word in done.stdout


def test_nothing_is_left_running(second: Running) -> None:
    """The last of this file: it ends the second instance."""
    before = second.processes()
    pids = {at["pid"] for at in second.get("/api/v1/ops")["processes"]}
    assert pids < before, "the processes have processes of their own"
    assert second.stop() == 0
    assert second.processes() == set()


def _process(up: Running, name: str) -> dict[str, Any]:
    processes: list[dict[str, Any]] = up.get("/api/v1/ops")["processes"]
    return next(at for at in processes if at["name"] == name)


def _kill_and_keep_down(up: Running, name: str) -> None:
    """Kill a process; it takes Prefect some ten seconds to come up again."""
    os.killpg(_process(up, name)["pid"], signal.SIGKILL)
    look = f"{up.url}/readyz"
    wait_for(lambda: httpx.get(look).json()["parts"][name] == "down", 20, f"{name} is down")
