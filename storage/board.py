"""The state of the processes as one small file: written by `svartid up`, read by anyone."""

from __future__ import annotations

import json
from typing import Any

from storage.layout import Layout
from storage.shards import write_parts


def write_board(layout: Layout, document: dict[str, Any]) -> None:
    """Replace the file whole."""
    write_parts(layout.run / "processes.json", [json.dumps(document).encode()], sync=False)


def read_board(layout: Layout) -> dict[str, Any]:
    """What was last written; empty when nothing has run here."""
    try:
        board: dict[str, Any] = json.loads((layout.run / "processes.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return board
