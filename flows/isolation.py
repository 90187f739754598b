"""Runs stages in a reading process: time-limited, its lease renewed, its death explained."""

from __future__ import annotations

import json
import logging
import os
import select
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from flows.parent import bound
from flows.worker import raise_answer
from storage.errors import ReaderCrashed, SlideError, TookTooLong, Transient
from storage.records.intake import Intake

_LOG = logging.getLogger("svartid.dispatcher")
_MOST_JOBS = 200
"""Slides after which a reading process is replaced, so that a leak in a codec stays small."""
_CRASHES = 3
_STOPS = (-signal.SIGTERM, -signal.SIGINT)
_LONGEST_ANSWER = 2**20


class Interrupted(Transient):
    """The reading process was told to stop: not a try that counts."""


class ReadingProcess:
    """One warm worker of one lane."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs = 0
        self._crashes = Counter[object]()
        # Linux ends a child with the thread that started it: this one lives as long as we do.
        self._starter = ThreadPoolExecutor(1)

    def warm_up(self) -> None:
        """Start the worker before the first slide comes."""
        self._alive()

    def run(self, row: Intake, limit: float, every: float, renew: Callable[[], bool]) -> None:
        """Run the stage `row` is in; `renew` is called every `every` seconds.

        Errors: what the stage raised; TookTooLong, ReaderCrashed; Transient on a first crash
        or when the lease was lost; Interrupted.
        """
        job = (row.intake_id, row.state, row.received_at)
        order = {"stage": row.state.value, "intake_id": row.intake_id}
        answer = self._ask(order, limit, every, lambda: _keep(renew))
        if answer is None:
            self._died(job, row)
        self._crashes.pop(job, None)
        raise_answer(answer or {})

    def opens(self, path: Path, limit: float) -> bool:
        """True when a reader can open the file; False also when it crashes or hangs on it."""
        try:
            answer = self._ask({"open": os.fsdecode(path)}, limit, limit, lambda: None)
            raise_answer({"error": "SlideError", "message": ""} if answer is None else answer)
        except (SlideError, OSError):
            return False
        return True

    def _ask(
        self, order: dict[str, str], limit: float, every: float, tick: Callable[[], None]
    ) -> dict[str, Any] | None:
        """The worker's answer, None when it died; whatever else happens, it is stopped."""
        process, until = self._alive(), time.monotonic() + limit
        self._jobs += 1
        try:
            assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.flush()
            line = b""
            while not line.endswith(b"\n"):
                wait = max(min(every, until - time.monotonic()), 0)
                if select.select([process.stdout], [], [], wait)[0]:
                    piece = os.read(process.stdout.fileno(), _LONGEST_ANSWER)
                    if not piece or len(line) > _LONGEST_ANSWER:
                        return None
                    line += piece
                elif time.monotonic() >= until:
                    raise TookTooLong(f"it took more than {limit:.0f} seconds and was stopped")
                else:
                    tick()
            answer: dict[str, Any] = json.loads(line)
        except (BrokenPipeError, ValueError):
            return None
        except BaseException:
            self.stop()  # what it answers later must not be taken for the next answer
            raise
        return answer

    def _died(self, job: object, row: Intake) -> None:
        code = self._ended()
        _LOG.warning("the reading process died (%s) on slide %s", code, row.slide_id)
        if code in _STOPS:
            raise Interrupted("the reading process was told to stop")
        self._crashes[job] += 1
        if self._crashes[job] >= _CRASHES:
            crashes = self._crashes.pop(job)
            raise ReaderCrashed(f"the reading process died {crashes} times on this file")
        raise Transient("the reading process died")

    def _ended(self) -> int | None:
        """How the worker ended; one that only closed its pipe or talks nonsense is stopped."""
        if self._process is None:
            return None
        try:
            return self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            return None
        finally:
            self.stop()

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is not None and self._process.poll() is None and self._jobs < _MOST_JOBS:
            return self._process
        self.stop()
        self._jobs = 0
        self._process = self._starter.submit(_start).result()
        return self._process

    def stop(self) -> None:
        """End the worker at once; what it was doing can be done again."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _start() -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        bound([sys.executable, "-m", "flows.worker"]),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=_without_secrets() | {"OPENBLAS_NUM_THREADS": "1"},
    )


def _without_secrets() -> dict[str, str]:
    """Our environment without what a process that parses strangers' files has no use for."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PREFECT")}


def _keep(renew: Callable[[], bool]) -> None:
    """Prolong the lease; a database that is away is no reason to stop."""
    try:
        kept = renew()
    except Transient as error:
        _LOG.warning("the lease is not renewed: %s", error)
        return
    if not kept:
        raise Transient("another worker has taken this slide over")
