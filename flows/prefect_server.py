"""Prefect's server in the foreground of this process, on loopback; ends with `svartid up`.

`python -m flows.prefect_server PORT`; its settings come by environment.
"""

from __future__ import annotations

import sys

import uvicorn
from prefect.server.api.server import create_app

from flows.parent import die_with_parent


def main() -> int:
    """Serve until SIGTERM."""
    die_with_parent()
    uvicorn.run(
        create_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="warning",
        access_log=False,
        timeout_keep_alive=30,
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
