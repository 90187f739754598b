"""Runs stages in a reading process: time-limited, its lease renewed, its death explained."""

from __future__ import annotations

import json
import logging
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable

from flows.worker import raise_answer
from storage.errors import ReaderCrashed, TookTooLong, Transient
from storage.records.intake import Intake

_LOG = logging.getLogger("svartid.dispatcher")
_MOST_JOBS = 200
"""Slides after which a reading process is replaced, so that a leak in a codec stays small."""
_CRASHES = 3


class ReadingProcess:
    """One warm worker of one lane."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0

    def warm_up(self) -> None:
        """Start the worker before the first slide comes."""
        self._alive()

    def run(self, row: Intake, limit: float, every: float, renew: Callable[[], bool]) -> None:
        """Run the stage `row` is in; `renew` is called every `every` seconds.

        Errors: what the stage raised; TookTooLong, ReaderCrashed; Transient on a first crash
        or when the lease was lost.
        """
        process = self._alive()
        order = json.dumps({"stage": row.state.value, "intake_id": row.intake_id}) + "\n"
        started = time.monotonic()
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
            process.stdin.write(order.encode())
            process.stdin.flush()
            while not select.select([process.stdout], [], [], every)[0]:
                self._watch(started, limit, renew)
            line = process.stdout.readline()
        except BrokenPipeError:
            line = b""
        self._jobs += 1
        if not line:
            self._died(row)
        raise_answer(json.loads(line))

    def _watch(self, started: float, limit: float, renew: Callable[[], bool]) -> None:
        if time.monotonic() - started > limit:
            self.stop()
            raise TookTooLong(f"reading took more than {limit:.0f} seconds and was stopped")
        if not renew():
            self.stop()
            raise Transient("another worker has taken this slide over")

    def _died(self, row: Intake) -> None:
        code = self._process.wait() if self._process else 0
        self.stop()
        _LOG.warning("the reading process died (%s) on slide %s", code, row.slide_id)
        if row.attempts >= _CRASHES:
            raise ReaderCrashed(f"the reading process died {row.attempts} times on this file")
        raise Transient("the reading process died")

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None and self._jobs < _MOST_JOBS:
            return self._process
        self.stop()
        self._jobs = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "flows.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"OPENBLAS_NUM_THREADS": "1"},
        )
        return self._process

    def stop(self) -> None:
        """End the worker at once; what it was doing can be done again."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
