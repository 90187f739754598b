"""Peers that can be had, and those that cannot: named, with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.conversion import conversion_jobs
from benchmarks.measure import Missing
from benchmarks.peers import Environment, environments
from benchmarks.slides import prepared


def test_a_peer_that_cannot_be_installed_says_why(tmp_path: Path) -> None:
    listing = tmp_path / "peers.txt"
    listing.write_text("# a comment\nbroken  /no/such/peer-1.0-py3-none-any.whl\n")
    peer = environments(print, tmp_path, listing)["broken"]
    assert peer.missing is not None
    assert peer.missing.startswith("not installed: ERROR")
    with pytest.raises(Missing, match="not installed"):
        peer.program("python")


def test_an_environment_is_made_once_for_the_same_pins(tmp_path: Path) -> None:
    listing = tmp_path / "peers.txt"
    listing.write_text("known  one==1.0 two==2.5\n")
    (tmp_path / "known" / "bin").mkdir(parents=True)
    (tmp_path / "known" / ".installed").write_text("one==1.0\ntwo==2.5")
    peer = environments(print, tmp_path, listing)["known"]
    assert (peer.missing, peer.versions) == (None, {"one": "1.0", "two": "2.5"})
    with pytest.raises(Missing, match="has no command program"):
        peer.program("program")


def test_every_peer_is_a_job_or_missing(
    painted_svs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = prepared(painted_svs, tmp_path)
    monkeypatch.setenv("PATH", "")
    names = ("wsidicomizer", "large-image", "ome-zarr")
    peers = {name: Environment(tmp_path, (), missing="not installed: why") for name in names}
    jobs, missing = conversion_jobs(slide, tmp_path, peers)
    assert [job.name for job in jobs] == ["cp", "svartid ingest --until ready", "svartid ingest"]
    assert set(missing) == {
        "vips tiffsave",
        "vips dzsave",
        "OrthancWSIDicomizer",
        "OrthancWSIDicomizer --threads 2",
        "wsidicomizer",
        "large_image_converter",
        "ome-zarr-py",
    }
    assert missing["vips dzsave"] == {"missing": "vips is not installed"}
