"""The forwarder's process: killed while it sends, without a target for a while, idle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from flows.services import Services
from processing.paint import Painting, write_svs
from storage import forwarding
from storage.case_tables import outbound
from storage.database import now
from storage.forwarding import AWAY
from storage.records.forwarding import ForwardOn, ForwardState
from storage.records.imaging import Peer
from tests.flows.forwarding import PEER, UNIT, Laboratory, on
from tests.journeys.running import wait_for
from tests.link import slow_line
from tests.link_model import Link
from tests.orthanc import Orthanc, an_orthanc


@pytest.fixture
def lab(services: Services) -> Laboratory:
    return Laboratory(services)


@contextmanager
def forwarder() -> Iterator[subprocess.Popen[str]]:
    """The process as `svartid up` starts it, on the data folder of SVARTID_DATA."""
    words = [sys.executable, "-m", "flows.forwarder"]
    with subprocess.Popen(words, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            assert process.stderr.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.fixture(scope="module")
def some_svs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide of a few megabytes."""
    path = tmp_path_factory.mktemp("some") / "some.svs"
    write_svs(Painting(3000, 2400, seed=5), path)
    return path


def by_association(port: int) -> Peer:
    return Peer(PEER, "ARCHIVE", "127.0.0.1", port, unit=UNIT)


def by_web(port: int) -> Peer:
    return Peer(PEER, "ARCHIVE", url=f"http://127.0.0.1:{port}/dicom-web", unit=UNIT)


@pytest.mark.parametrize("way", [by_association, by_web])
def test_killed_while_it_sends_everything_arrives_once(
    lab: Laboratory, some_svs: Path, tmp_path: Path, way: Callable[[int], Peer]
) -> None:
    with an_orthanc(tmp_path / "archive") as archive:
        listens = archive.http_port if way is by_web else archive.dicom_port
        with slow_line(listens, Link(rate=4e6, rtt=0.01, loss=0)) as port:
            arrives_once(lab, some_svs, archive, way(port))


def arrives_once(lab: Laboratory, file: Path, archive: Orthanc, peer: Peer) -> None:
    lab.knows(peer, on(ForwardOn.SLIDE_COMPLETE))
    slide = lab.slide(file, lab.case())
    for tries in (1, 2):
        with forwarder() as process:
            wait_for(lambda at=tries: len(lab.lines()) == at, 30, "it has begun to send")
            time.sleep(0.5)
            assert lab.queue()[0].state is ForwardState.WAITING
            os.kill(process.pid, signal.SIGKILL)
        assert len(archive.get("/instances")) < len(lab.pixels(slide))
    assert lab.queue()[0].state is ForwardState.WAITING
    with forwarder():
        wait_for(lambda: lab.queue()[0].state is ForwardState.SENT, 60, "it arrives")
    assert archive.pixels() == lab.pixels(slide)
    assert len(archive.get("/instances")) == len(lab.queue()[0].done)


def test_a_target_that_is_down_for_a_while_is_waited_for(
    lab: Laboratory, tiny_svs: Path, tmp_path: Path
) -> None:
    with an_orthanc(tmp_path / "archive") as archive, forwarder():
        archive.stop()
        lab.knows(by_association(archive.dicom_port), on(ForwardOn.SLIDE_COMPLETE))
        slide = lab.slide(tiny_svs, lab.case())
        wait_for(lambda: lab.queue() and lab.queue()[0].reason == AWAY, 30, "nobody answers")
        archive.start()
        assert lab.queue()[0].state is ForwardState.WAITING
        # Its time is fifteen seconds away; the test has no patience.
        with lab.services.database.transaction() as connection:
            connection.execute(sa.update(outbound).values(next_at=now()))
        wait_for(lambda: lab.queue()[0].state is ForwardState.SENT, 30, "it arrives")
        assert archive.pixels() == lab.pixels(slide)


def test_without_work_it_loads_nothing_that_speaks_dicom(lab: Laboratory) -> None:
    with forwarder() as process:
        wait_for(lambda: cpu_seconds(process.pid) > 0, 10, "it runs")
        mapped = Path(f"/proc/{process.pid}/maps").read_text()
    assert "pydantic" not in mapped
    assert "imagecodecs" not in mapped
    assert "libopenslide" not in mapped
    assert forwarding.counts(lab.services.database) == {}


def cpu_seconds(pid: int) -> float:
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
