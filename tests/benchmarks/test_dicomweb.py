"""A small sample of `python -m benchmarks.dicomweb`, so that it cannot rot."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

NEEDED = ("wrk", "Orthanc")


def test_both_servers_answer_everything(painted_svs: Path) -> None:
    missing = [at for at in NEEDED if shutil.which(at) is None]
    if missing and os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
        pytest.fail(f"SVARTID_REQUIRE_SLIDES=1, but {missing} are not installed")
    if missing:
        pytest.skip(f"no {missing} here: tests/system-packages.sh installs them")
    command = [sys.executable, "-m", "benchmarks.dicomweb", "--slide", painted_svs, "--studies",
               "60", "--rounds", "1", "--seconds", "1"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr[-2000:]
    figures = json.loads(done.stdout[done.stdout.index("\n{") :])
    for name in ("svartid", "Orthanc"):
        (frames,) = figures["frames"][name]
        assert frames["per_s"] > 1
        assert frames["wrong"] == 0
        asked = figures["asked"][name]
        assert asked["a page of studies"]["answers"] == 50
        assert asked["names by a pattern"]["answers"] == 1
        assert all(at["ms"] > 0 for at in asked.values())
    ours, theirs = (figures["asked"][name] for name in ("svartid", "Orthanc"))
    for name in ("a page of series", "a week", "metadata of the slide's series"):
        assert ours[name]["answers"] == theirs[name]["answers"]
