"""axe-core on a page that is open: what people who cannot see, point or tell colours would miss.

`make install` puts it beside the tests' other programs; `python -m tests.journeys.axe` does the
same by itself. It is for tests only, and nothing of it is served.
"""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from viewers.browser_packages import BrowserPackage, BrowserPackageError, fetch, is_intact

AXE = BrowserPackage(
    name="axe-core",
    version="4.14.1",
    integrity=(
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37"
        "OgudVGtQ=="
    ),
    files={"package/axe.min.js": "axe.min.js", "package/LICENSE": "LICENSE"},
)
FOLDER = Path(sys.prefix) / "share" / "svartid-tests" / AXE.folder
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
_RUN = """async ([rules, without]) => {
  const found = await axe.run({ exclude: without }, {
    runOnly: rules, resultTypes: ["violations"],
  });
  return found.violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map((node) => `${id} (${impact}): ${help}: ${node.target.join(" ")}`));
}"""


def violations(page: Page, without: tuple[str, ...] = ()) -> list[str]:
    """What WCAG 2.2 AA and good practice forbid on the page, a line each with where it is.

    `without` are selectors of parts that are not ours. The script comes through the debugger's
    door, so the page keeps its own Content-Security-Policy.
    """
    if not page.evaluate("() => typeof window.axe === 'object'"):
        page.evaluate(f"() => {{ {_script()} }}")
    found: list[Any] = page.evaluate(_RUN, [list(RULES), [[at] for at in without]])
    return [str(line) for line in found]


@cache
def _script() -> str:
    """axe-core; where it was never installed the test is skipped, or fails where required."""
    if not is_intact(AXE, FOLDER):
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail(
                "SVARTID_REQUIRE_SLIDES=1, but axe-core is not here; make install brings it"
            )
        pytest.skip("no axe-core here: make install brings it")
    return (FOLDER / "axe.min.js").read_text("utf-8")


def main() -> int:
    """Fetch it if it is not there; 0 when it is in place."""
    try:
        if not is_intact(AXE, FOLDER):
            fetch(AXE, FOLDER)
    except BrowserPackageError as error:
        sys.stderr.write(f"{AXE.folder}: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
