"""Which of our browser modules a page needs, so that it can name them all at once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Final

MODULES: Final = Path(__file__).parent / "static" / "js"
_IMPORT: Final = re.compile(r"""^import\s(?:[^"';]*\sfrom\s)?"\./([\w.]+\.js)";""", re.MULTILINE)


@cache
def modules(entry: str) -> tuple[str, ...]:
    """`entry` and all it imports, in turn and again, each once; file names below `static/js`."""
    found: list[str] = []
    waiting = [entry]
    while waiting:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting += _IMPORT.findall((MODULES / name).read_text("utf-8"))
    return tuple(found)
