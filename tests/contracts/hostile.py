"""A reading process to throw spoiled files at, and what must come of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import storage.errors
from storage.errors import SlideError

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 2.0
"""Of processor time for one file."""
_FINE = {"read"} | {
    name
    for name, kind in vars(storage.errors).items()
    if isinstance(kind, type) and issubclass(kind, SlideError)
}


class ReadingProcess:
    """Reads one file after the other; a crash is an error of the test, with the file's name."""

    def __init__(self, errors: Path) -> None:
        self._errors = errors
        self._started = Counter[str]()
        self._process = self._start()
        self.outcomes = Counter[str]()

    def _start(self) -> subprocess.Popen[str]:
        with self._errors.open("a") as errors:
            return subprocess.Popen(
                [sys.executable, "-m", "tests.contracts.reading_worker"],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def read(self, path: Path, what: str) -> str:
        """The outcome for one file: "read", or the name of its SlideError."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            self._process = self._start()
            raise AssertionError(f"the reading process died ({code}) on {what}")
        answer = json.loads(line)
        assert answer["outcome"] in _FINE, f"{what}: {answer['outcome']}"
        assert answer["seconds"] < MOST_SECONDS, f"{what}: {answer['seconds']:.1f} s"
        self.outcomes[answer["outcome"]] += 1
        return str(answer["outcome"])

    def close(self) -> str:
        """End the process; what it said on standard error."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(10)
        return self._errors.read_text()
