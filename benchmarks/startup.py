"""What a command costs before it does anything, and which heavy libraries come along."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import medians, run_once

_HEAVY = ("pandas", "scipy", "matplotlib", "torch", "sklearn", "skimage", "xarray", "polars")
_OURS = {
    "svartid --help": "import flows.cli",
    "every command": "import importlib; from flows.cli import COMMANDS; "
    "[importlib.import_module(module) for module, _ in COMMANDS.values()]",
    "web app": "import viewers.app",
    "dispatcher": "import flows.dispatcher",
}


def measure_startup(rounds: int) -> dict[str, Any]:
    """Wall and CPU of `svartid --help`; per entry point, seconds of import and heavy libraries."""
    svartid = str(Path(sys.executable).parent / "svartid")
    runs = [run_once([svartid, "--help"]) for _ in range(rounds)]
    return {
        "help": medians(runs),
        "imports": {name: _imported(statement) for name, statement in _OURS.items()},
    }


def _imported(statement: str) -> dict[str, Any]:
    program = (
        "import json, sys, time; began = time.perf_counter(); "
        f"exec({statement!r}); spent = time.perf_counter() - began; "
        f"heavy = [name for name in {_HEAVY!r} if name in sys.modules]; "
        "print(json.dumps({'seconds': round(spent, 3), 'modules': len(sys.modules), "
        "'heavy': heavy}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures
