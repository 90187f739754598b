"""A model in its own process, behind a pipe: patches go in, arrays come out, nothing else does.

Whatever the process does, the answer is an array of the shape the manifest promises or an error,
in a limited time; then the process and its group are killed. See `model_box` for what holds it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from flows.model_box import REQUIRED
from flows.parent import bound
from flows.processes import python
from processing.models.ask import Answers, Patches, expected_shapes
from processing.models.formats import without_examples
from storage.errors import Refused
from storage.records.models import Manifest, ModelFormat

WORKER = python("flows.model_worker")
_START_SECONDS = 60.0
_MOST_LINE = 64 * 1024
_PLAIN = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": "/nonexistent"}
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class ModelFailed(Refused):
    """The model broke, broke a rule of its box, took too long, or answered nonsense."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a model may take."""

    memory: int = 2 * 2**30
    """Bytes on top of what the libraries need."""
    cpu_seconds: int = 3600
    answer_seconds: float = 60.0
    """For loading, and for each batch."""
    environment: Mapping[str, str] = field(
        default_factory=lambda: {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1"}
    )
    """What else its process sees."""


class Sandbox:
    """Use as a context; call it with patches. Errors of every call: ModelFailed."""

    def __init__(
        self,
        manifest: Manifest,
        model: bytes,
        limits: Limits | None = None,
        worker: tuple[str, ...] = WORKER,
    ) -> None:
        self._manifest, self._model, self._worker = manifest, model, worker
        self._limits = limits or Limits()
        self._process: subprocess.Popen[bytes] | None = None
        self.held: tuple[str, ...] = ()
        """What keeps it in."""

    def __enter__(self) -> Self:
        """Start the process and hand it the model.

        Errors: Refused without torch, or without a box where one is needed; ModelFailed.
        """
        if find_spec("torch") is None or find_spec("safetensors") is None:
            raise Refused("torch is not installed here: pip install 'svartid[torch]'")
        self._process = self._start()
        try:
            self.held = tuple(self._take(_START_SECONDS)[0].get("held", ()))
            missing = REQUIRED - set(self.held)
            if missing and self._manifest.format is ModelFormat.PT2:
                raise Refused(
                    f"this machine cannot hold a .pt2 in ({', '.join(sorted(missing))} missing): "
                    "Linux 6.7 or later on x86-64 can; bring safetensors instead"
                )
            self._load()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the process."""
        self.close()

    def __call__(self, patches: Patches) -> Answers:
        """What the network answers to [n, 3, height, width]: arrays as the manifest promises."""
        self._send({"shape": list(patches.shape)}, patches.astype(np.float32).tobytes())
        expected = expected_shapes(self._manifest, patches.shape)
        most = sum(4 * int(np.prod(shape)) for shape in expected.values())
        about, data = self._take(self._limits.answer_seconds, most)
        try:
            made = {str(name): tuple(map(int, shape)) for name, shape in about["made"]}
        except (KeyError, TypeError, ValueError) as error:
            raise self._failed("it answered nonsense") from error
        if made != expected or len(data) != most:
            raise self._failed("it answered in another shape than its manifest says")
        answers, at = {}, 0
        for name, shape in made.items():
            size = 4 * int(np.prod(shape))
            answers[name] = np.frombuffer(data, "<f4", size // 4, at).reshape(shape)
            at += size
        return answers

    def peak_bytes(self) -> int:
        """The most memory its process has had, as the kernel says."""
        assert self._process is not None  # noqa: S101
        with suppress(OSError, ValueError):
            lines = Path(f"/proc/{self._process.pid}/status").read_text("ascii").splitlines()
            return next(int(at.split()[1]) * 1024 for at in lines if at.startswith("VmHWM"))
        return 0

    def close(self) -> None:
        """Kill the process and all it may have started."""
        if self._process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                if pipe is not None:
                    pipe.close()
        self._process = None

    def _start(self) -> subprocess.Popen[bytes]:
        limits = self._limits
        words = (str(limits.memory), str(limits.cpu_seconds), self._manifest.format.value)
        process = subprocess.Popen(
            bound([*self._worker, *words]),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env=_PLAIN | dict.fromkeys(_THREADS, "1") | dict(limits.environment),
            start_new_session=True,
            bufsize=0,
        )
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        os.set_blocking(process.stdin.fileno(), False)
        os.set_blocking(process.stdout.fileno(), False)
        return process

    def _load(self) -> None:
        manifest, data = self._manifest, self._model
        if manifest.format is ModelFormat.PT2:
            data = without_examples(data)
        about = {
            "kind": manifest.format.value,
            "architecture": manifest.architecture,
            "parameters": dict(manifest.parameters or {}),
            "heads": {at.name: len(at.classes) for at in manifest.outputs},
        }
        self._send(about, data)
        if self._take(self._limits.answer_seconds)[0].get("loaded") is not True:
            raise self._failed("it answered nonsense")

    def _send(self, about: dict[str, Any], data: bytes) -> None:
        assert self._process is not None and self._process.stdin is not None  # noqa: S101, PT018
        line = json.dumps(about | {"bytes": len(data)}).encode()
        left = memoryview(len(line).to_bytes(4, "big") + line + data)
        pipe, until = self._process.stdin.fileno(), self._until(self._limits.answer_seconds)
        while left:
            if not select.select([], [pipe], [], max(until - time.monotonic(), 0))[1]:
                raise self._failed("it took too long")
            try:
                left = left[os.write(pipe, left[: 2**20]) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise self._failed("its process ended") from error

    def _take(self, seconds: float, most: int = 0) -> tuple[dict[str, Any], bytes]:
        """The next frame, of at most so many bytes beside its line."""
        until = self._until(seconds)
        size = int.from_bytes(self._read(4, until), "big")
        if not 2 <= size <= _MOST_LINE:
            raise self._failed("it answered nonsense")
        try:
            about = json.loads(self._read(size, until))
            length = int(about.get("bytes", 0))
        except (ValueError, AttributeError, TypeError, RecursionError) as error:
            raise self._failed("it answered nonsense") from error
        if "error" in about:
            kind = str(about["error"])[:60]
            raise self._failed(f"it failed ({kind if kind.isidentifier() else 'nonsense'})")
        if not 0 <= length <= most:
            raise self._failed("it answered more than its manifest says")
        return about, self._read(length, until)

    def _read(self, size: int, until: float) -> bytes:
        assert self._process is not None and self._process.stdout is not None  # noqa: S101, PT018
        pipe, found = self._process.stdout.fileno(), bytearray()
        while len(found) < size:
            if not select.select([pipe], [], [], max(until - time.monotonic(), 0))[0]:
                raise self._failed("it took too long")
            piece = os.read(pipe, min(size - len(found), 2**20))
            if not piece:
                raise self._failed("its process ended")
            found += piece
        return bytes(found)

    def _until(self, seconds: float) -> float:
        return time.monotonic() + seconds

    def _failed(self, why: str) -> ModelFailed:
        """The error, with the process gone."""
        manifest = self._manifest
        ended = ""
        if self._process is not None:
            with suppress(subprocess.TimeoutExpired):
                ended = f" ({self._process.wait(0.5)})" if why == "its process ended" else ""
        self.close()
        return ModelFailed(f"model {manifest.name} {manifest.version}: {why}{ended}")
