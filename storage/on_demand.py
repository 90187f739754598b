"""Loading a module when it is first needed: for tables that name heavy ones as text.

The only other way to import than at the top of a file (docs/decisions/0012).
"""

from __future__ import annotations

import importlib
from typing import Any


def load(name: str) -> Any:  # noqa: ANN401 - whatever the table says it is
    """The object called `package.module:name`."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)
