"""Where our processes write their lines: standard error, which `svartid up` gathers."""

from __future__ import annotations

import logging
import sys


def log_to_stderr() -> None:
    """Send `svartid.*` loggers to standard error, untouched by what libraries configure.

    Lines name slides by their opaque id, never by file name, and hold no person's data.
    """
    logger = logging.getLogger("svartid")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger.handlers = [handler]
    logger.setLevel(logging.INFO)
    logger.propagate = False
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    logging.getLogger("httpx").setLevel(logging.WARNING)
