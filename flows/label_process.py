"""Barcodes of labels, read in a process of its own: a picture from outside may break a decoder.

`python -m flows.label_process` takes pictures from standard input, each with its length in front,
and answers a line of JSON for each. `LabelReader` starts it, and starts it again when it died.
"""

from __future__ import annotations

import json
import logging
import os
import select
import struct
import subprocess
import sys
from contextlib import suppress

from flows.parent import bound
from flows.processes import python
from processing.label import MOST_BYTES, read_barcodes

_LOG = logging.getLogger("svartid.casework")
_LIMIT = 10.0
"""Seconds a label may take."""
_LENGTH = struct.Struct(">I")


class LabelReader:
    """Call it with the bytes of a picture; whatever happens, the answer is text or nothing."""

    def __init__(self, limit: float = _LIMIT) -> None:
        self._limit = limit
        self._process: subprocess.Popen[bytes] | None = None

    def warm_up(self) -> None:
        """Start the process before the first label comes."""
        self._alive()

    def __call__(self, image: bytes) -> tuple[str, ...]:
        """The texts of the barcodes on a picture of a label."""
        if not image or len(image) > MOST_BYTES:
            return ()
        process = self._alive()
        assert process.stdin is not None and process.stdout is not None  # noqa: S101, PT018
        try:
            process.stdin.write(_LENGTH.pack(len(image)) + image)
            process.stdin.flush()
            ready, _, _ = select.select([process.stdout], [], [], self._limit)
            answer = process.stdout.readline() if ready else b""
            if answer.endswith(b"\n"):
                return tuple(str(text) for text in json.loads(answer))
        except (OSError, ValueError):
            pass
        _LOG.warning("a label was given up: its decoder died or took too long")
        self.stop()
        return ()

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                with suppress(OSError):
                    if pipe is not None:
                        pipe.close()
            self._process = None

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self._process = subprocess.Popen(
                bound(python("flows.label_process")),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process


def main() -> int:
    """Serve until standard input closes."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what a library prints is no answer
    while head := sys.stdin.buffer.read(_LENGTH.size):
        (length,) = _LENGTH.unpack(head)
        image = sys.stdin.buffer.read(length)
        answers.write(json.dumps(read_barcodes(image)) + "\n")
        answers.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
