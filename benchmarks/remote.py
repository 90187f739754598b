"""A reader far away: time to a full 1920x1080 view over 20 Mbit/s, 120 ms, 0.5 % loss.

`python -m benchmarks.remote [--record]`. Chromium, signed in, and the application behind the slow
line of `tests.link`; HTTP/1.1 as the application serves it, and HTTP/2 over TLS where nginx is
installed. The line's model and the figures' meaning: `docs/remote.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.measure import machine, record
from benchmarks.remote_front import front
from benchmarks.remote_site import READER, Site, Subject, site
from processing.paint import Painting, write_svs
from tests.journeys.remote_views import SIZE, Reader, View, Walk, sign_in
from tests.link import slow_line
from tests.link_model import Link

BUDGETS = {"open": 4000.0, "change": 1000.0, "field": 250.0}
"""Milliseconds: the clinical medians published for local networks, to be beaten from afar."""
_CHROMIUM = "--no-sandbox --disable-gpu --no-first-run --disable-background-networking"


LINES: dict[str, Link | None] = {
    "BBR": Link(backs_off=False),
    "Reno": Link(),
    "loopback": None,
}
"""The slow line with senders that take no loss for a full line, with those that do; none."""
STARTS = {"giardia-HE-20x.tif": (0.05, 0.53)}
"""Where tissue begins, as shares of width and height."""
_START = 0.25, 0.35
JUDGED = "HTTP/2, BBR"


@dataclass(frozen=True)
class Way:
    """One way between browser and application, and whether the viewer fetches ahead."""

    protocol: str
    line: str
    ahead: bool = True

    @property
    def name(self) -> str:
        """As the tables call it."""
        return f"{self.protocol}, {self.line}" + ("" if self.ahead else ", nothing fetched ahead")


def main() -> int:
    """Measure, print, record; 1 when a budget is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--slide", type=Path, default=None, help="default: giardia-HE-20x.tif")
    parser.add_argument("--opens", type=int, default=7, help="how often each slide is opened")
    parser.add_argument("--dwell", type=float, nargs="+", default=[1.0], help="seconds a field")
    parser.add_argument("--only", default="", help="a pattern for the names of the ways")
    parser.add_argument("--no-fields", action="store_true")
    parser.add_argument("--record", action="store_true", help="write benchmarks/results")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="svartid-remote-") as folder, ExitStack() as stack:
        here = stack.enter_context(site(Path(folder), _slides(Path(folder), args.slide)))
        ways: dict[str, Any] = {}
        for way in _ways(args.only):
            with _reachable(here, way, Path(folder) / "front") as found:
                if found is None:
                    print(f"{way.name}: nginx is not installed, not measured")
                    continue
                measured = _measure(*found, way, here.subjects, args)
            ways[way.name] = measured
            print(
                json.dumps(
                    {way.name: measured["summary"] | {"kB": measured["walks_kilobytes"]}}, indent=1
                ),
                flush=True,
            )
    document = {
        "machine": machine(),
        "lines": {name: link and asdict(link) for name, link in LINES.items()},
        "size": SIZE,
        "ways": ways,
    }
    if args.record:
        print(record("remote", document))
    return _judge(ways)


def _ways(only: str) -> list[Way]:
    ways = [
        Way(protocol, line, ahead)
        for protocol in ("HTTP/2", "HTTP/1.1")
        for line in LINES
        for ahead in ((True, False) if line == "BBR" else (True,))
    ]
    return [way for way in ways if re.search(only, way.name)]


def _slides(folder: Path, slide: Path | None) -> list[Path]:
    shared = Path(os.environ.get("SVARTID_TEST_SLIDES") or "../shared/slides")
    slide = slide or shared / "pyramid-tiff" / "giardia-HE-20x.tif"
    painted = folder / "painted.svs"
    write_svs(Painting(20000, 15000, seed=4), painted)
    return [path for path in (slide, painted) if path.is_file()]


@contextmanager
def _reachable(here: Site, way: Way, folder: Path) -> Iterator[tuple[Browser, str, Any] | None]:
    """A browser, the address to ask at, and a signed-in reader's cookies."""
    with ExitStack() as stack:
        port, scheme, arguments = here.port, "http", _CHROMIUM.split()
        if way.protocol == "HTTP/2":
            found = stack.enter_context(front(folder, port))
            if found is None:
                yield None
                return
            port, scheme = found.port, "https"
            arguments.append(found.browser_argument)
        if (link := LINES[way.line]) is not None:
            port = stack.enter_context(slow_line(port, link))
        playwright = stack.enter_context(sync_playwright())
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        stack.callback(browser.close)
        state = sign_in(browser, here.url, READER, here.password)
        yield browser, f"{scheme}://127.0.0.1:{port}", state


def _measure(
    browser: Browser,
    url: str,
    state: Any,  # noqa: ANN401
    way: Way,
    subjects: Sequence[Subject],
    args: argparse.Namespace,
) -> dict[str, Any]:
    query = "" if way.ahead else "?prefetch=off"
    views: dict[str, list[View]] = {"open": [], "change": []}
    for at in range(args.opens):
        first, other = (subjects[(at + step) % len(subjects)] for step in (0, 1))
        with Reader(browser, url, state, query) as reader:
            views["open"].append(reader.open(first.slide_id))
            reader.page.wait_for_timeout(2000)
            views["change"].append(reader.change(other.slide_id))
    traffic: dict[str, float] = {}
    for name, subject, walk in [] if args.no_fields else _walks(way, subjects, args.dwell):
        with Reader(browser, url, state, query) as reader:
            reader.open(subject.slide_id)
            before = reader.kilobytes()
            views[f"field, {name}"] = reader.walk(walk)
            traffic[f"field, {name}"] = round(reader.kilobytes() - before)
    return {
        "summary": {name: _summary(found) for name, found in views.items()},
        "walks_kilobytes": traffic,
        "views": {name: [view.document() for view in found] for name, found in views.items()},
    }


def _walks(
    way: Way, subjects: Sequence[Subject], dwells: Sequence[float]
) -> Iterator[tuple[str, Subject, Walk]]:
    """Over tissue at full size, and for the judged way at half of it and at each dwell as well."""
    for subject in subjects if way.name == JUDGED else subjects[:1]:
        x, y = STARTS.get(subject.name, _START)
        usual = Walk(subject.width * x, subject.height * y, 1.0, 6, 4, dwells[0])
        others = [replace(usual, dwell=dwell) for dwell in dwells[1:]]
        others += [replace(usual, downsample=2.0)]
        for walk in [usual, *others] if way.name == JUDGED and subject is subjects[0] else [usual]:
            yield f"{subject.name}, 1:{walk.downsample:g}, {walk.dwell:g} s each", subject, walk


def _summary(views: Sequence[View]) -> dict[str, float]:
    found = {"views": len(views)}
    for stage in ("first", "covered", "drawn", "requests", "kilobytes"):
        values = sorted(getattr(view, stage) for view in views)
        found[f"{stage}_median"] = round(statistics.median(values), 1)
        found[f"{stage}_p90"] = round(values[min(len(values) - 1, int(0.9 * len(values)))], 1)
    return found


def _judge(ways: dict[str, Any]) -> int:
    """The budgets are for medians over HTTP/2 and senders with BBR; the others are told."""
    judged = ways.get(JUDGED)
    if judged is None:
        print(f"not judged: {JUDGED} is missing")
        return 0
    missed = 0
    for name, figures in judged["summary"].items():
        budget = BUDGETS[name.split(",")[0]]
        met = figures["drawn_median"] <= budget
        missed += not met
        print(f"{'met   ' if met else 'MISSED'}  {name}: {figures['drawn_median']} ms, {budget:g}")
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
