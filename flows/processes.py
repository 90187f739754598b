"""The processes of `svartid up`: what each is started with, and its life with back-off."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

from flows.parent import bound

_FIRST_WAIT, _LONGEST_WAIT = 0.5, 30.0
_LONG_LIFE = 60.0
"""A process that lived that long starts again with the shortest wait."""
_PATIENCE = 8.0
"""Seconds a process has to end in good order."""

Say = Callable[[str, str], None]
"""Called with a process's name and one line of its output."""


@dataclass(frozen=True, slots=True)
class Program:
    """A command line and what it needs in its environment."""

    name: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]


@dataclass(slots=True)
class Life:
    """What is known of a program's process now."""

    program: Program
    state: str = "starting"
    pid: int | None = None
    restarts: int = 0
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def turn(self, state: str, pid: int | None) -> None:
        """Enter a state."""
        self.state, self.pid, self.since = state, pid, datetime.now(UTC)


def python(module: str, *arguments: str) -> tuple[str, ...]:
    """Command line of a module under this interpreter."""
    return (sys.executable, "-m", module, *arguments)


async def keep_running(life: Life, say: Say, changed: Callable[[], None]) -> None:
    """Start a program, read its output, start it again when it ends; until cancelled."""
    wait = _FIRST_WAIT
    while True:
        started = asyncio.get_running_loop().time()
        try:
            code = await run_once(life, say, changed)
        except OSError as error:  # no memory or descriptors to start it with: try later
            say(life.program.name, f"cannot be started: {error.strerror}")
            code = -1
        life.restarts += 1
        life.turn("backing_off", None)
        changed()
        long_lived = asyncio.get_running_loop().time() - started > _LONG_LIFE
        wait = _FIRST_WAIT if long_lived else min(wait * 2, _LONGEST_WAIT)
        say(life.program.name, f"ended with {code}; starts again in {wait:.0f} s")
        await asyncio.sleep(wait)


async def run_once(life: Life, say: Say, changed: Callable[[], None]) -> int:
    """Start a program and read its output until it ends; its exit code."""
    process = await asyncio.create_subprocess_exec(
        *bound(life.program.arguments),
        env=os.environ | dict(life.program.environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
        limit=2**20,
    )
    life.turn("running", process.pid)
    changed()
    try:
        assert process.stdout is not None  # noqa: S101
        while line := await _line(process.stdout):
            say(life.program.name, line.decode(errors="replace").rstrip())
        return await process.wait()
    finally:
        await _end_group(process)
        life.turn("stopped", None)


async def _line(output: asyncio.StreamReader) -> bytes:
    """The next line, empty at the end; one that is longer than we keep is left out."""
    while True:
        try:
            return await output.readline()
        except ValueError:
            continue


async def _end_group(process: asyncio.subprocess.Process) -> None:
    """The whole process group: asked first, then killed; also what a dead leader left behind."""
    if process.returncode is None:
        _signal_group(process.pid, signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), _PATIENCE)
    _signal_group(process.pid, signal.SIGKILL)
    await process.wait()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
