"""Peers from the package index, each in a virtual environment made once; `peers.txt` pins them."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.measure import Missing, Say

BUILD = Path(__file__).parent.parent / "build" / "bench"
"""Environments and painted slides, outside git; `make clean` takes them away."""
_PINS = Path(__file__).parent / "peers.txt"
_PATIENCE = 1200
"""Seconds one installation may take."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment of one peer, or the reason why there is none."""

    folder: Path
    pins: tuple[str, ...]
    missing: str | None = None
    versions: dict[str, str] = field(default_factory=dict)

    def program(self, name: str) -> str:
        """Path of an installed command; Missing when there is none."""
        if self.missing is not None:
            raise Missing(self.missing)
        program = self.folder / "bin" / name
        if not program.exists():
            raise Missing(f"{self.folder.name} has no command {name}")
        return str(program)


def environments(
    say: Say, root: Path = BUILD / "peers", listing: Path = _PINS
) -> dict[str, Environment]:
    """All environments of `peers.txt`; one that cannot be made says why."""
    lines = (line.split() for line in listing.read_text().splitlines())
    named = {words[0]: tuple(words[1:]) for words in lines if words and words[0] != "#"}
    return {name: _prepared(root / name, pins, say) for name, pins in named.items()}


def _prepared(folder: Path, pins: tuple[str, ...], say: Say) -> Environment:
    ready = folder / ".installed"
    wanted = "\n".join(pins)
    try:
        if not (ready.exists() and ready.read_text() == wanted):
            say(f"installing {folder.name} into {folder} (a minute, once)")
            _install(folder, pins)
            ready.write_text(wanted)
    except (OSError, subprocess.SubprocessError) as error:
        return Environment(folder, pins, missing=_reason(error))
    return Environment(folder, pins, versions=dict(pin.split("==") for pin in pins))


def _install(folder: Path, pins: tuple[str, ...]) -> None:
    _quietly(sys.executable, "-m", "venv", "--clear", str(folder))
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    _quietly(*pip, "--disable-pip-version-check", *pins)


def _quietly(*command: str) -> None:
    subprocess.run(command, capture_output=True, text=True, check=True, timeout=_PATIENCE)


def _reason(error: Exception) -> str:
    """The line that says most: pip's own, which begins with ERROR."""
    if isinstance(error, subprocess.CalledProcessError):
        lines = [line for line in error.stderr.splitlines() if line.startswith("ERROR")]
        return f"not installed: {(lines or [f'exit {error.returncode}'])[-1]}"
    return f"not installed: {error}"
