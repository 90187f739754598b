"""A large slide needs no more memory than a small one; the command does what it says."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

import pytest

from flows.commands import paint

WIDE = """
import resource, sys
from pathlib import Path
from processing.paint import Painting, write_svs
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
write_svs(Painting(40_000, 2_000), Path(sys.argv[1]))
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss is in kilobytes on Linux only")
def test_memory_is_far_less_than_the_picture(tmp_path: Path) -> None:
    """One row of blocks is what is held, so a wide slide is the hard case: 240 MB of pixels."""
    command = [sys.executable, "-c", WIDE, str(tmp_path / "wide.svs")]
    grown = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    assert int(grown) < 230e6


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="svartid paint")
    paint.configure(parser)
    return parser.parse_args(words)


def test_paints_what_the_name_asks_for(tmp_path: Path) -> None:
    small = ["--width", "600", "--height", "400"]
    assert paint.run(parsed(str(tmp_path / "a.svs"), *small)) == 0
    assert paint.run(parsed(str(tmp_path / "series"), *small)) == 0
    assert (tmp_path / "a.svs").is_file()
    assert (tmp_path / "series" / "level-0.dcm").is_file()


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["a.svs", "--width", "3"], 2),
        (["a.svs", "--quality", "0"], 2),
        (["folder", "--photometric", "rgb"], 2),
        (["missing/a.svs", "--width", "300", "--height", "300"], 1),
    ],
)
def test_says_why_not(
    words: list[str],
    code: int,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert paint.run(parsed(*words)) == code
    told = capsys.readouterr()
    assert told.err.startswith("svartid paint: ")
    assert told.err.count("\n") == 1
    assert told.out == ""
