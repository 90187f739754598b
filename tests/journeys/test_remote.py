"""A reader far away, over 20 Mbit/s, 120 ms and 0.5 % loss: what is fetched ahead is there in time.

Small, with room to spare: the figures themselves are `python -m benchmarks.remote`.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, StorageState

from processing.paint import Painting, write_svs
from tests.journeys.remote_views import Reader, View, Walk, sign_in
from tests.journeys.running import Running
from tests.link import slow_line

pytestmark = [pytest.mark.journey]

WIDTH, HEIGHT = 9000, 5000
OPEN_MS, CHANGE_MS, FIELD_MS = 20_000, 12_000, 1500
"""Five times the clinical medians and more: this machine may be busy."""


@pytest.fixture(scope="module")
def slides(running: Running, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Two painted slides, some fields wide."""
    folder = tmp_path_factory.mktemp("far")
    files = [folder / f"far-{seed}.svs" for seed in (41, 42)]
    for seed, file in enumerate(files, start=41):
        write_svs(Painting(WIDTH, HEIGHT, seed=seed, barcode=f"SVT-00{seed}-A1-1"), file)
    return [str(line["slide_id"]) for line in running.command("ingest", *files)]


@pytest.fixture(scope="module")
def far(running: Running) -> Iterator[str]:
    """The address at the far end of the slow line."""
    with slow_line(running.port) as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def state(browser: Browser, running: Running) -> StorageState:
    return sign_in(browser, running.url, "admin", running.password)


def along(browser: Browser, far: str, state: StorageState, slide: str, query: str) -> list[View]:
    """Fields to the right, through the tissue, two seconds each."""
    walk = Walk(WIDTH * 0.12, HEIGHT * 0.45, 1.0, columns=4, rows=1, dwell=2.0)
    with Reader(browser, far, state, query) as reader:
        reader.open(slide)
        return reader.walk(walk)


@pytest.mark.timeout(120)
def test_a_slide_opens_and_changes_in_time(
    browser: Browser, far: str, state: StorageState, slides: list[str], screenshots: Path
) -> None:
    with Reader(browser, far, state) as reader:
        opened = reader.open(slides[0])
        named = reader.page.evaluate(
            "() => [...document.querySelectorAll('link[rel=modulepreload]')].map((at) => at.href)"
        )
        asked = reader.page.evaluate(
            "() => performance.getEntriesByType('resource').map((at) => at.name)"
        )
        changed = reader.change(slides[1])
        again = reader.page.evaluate(
            "() => performance.getEntriesByType('resource')"
            ".filter((at) => at.transferSize > 0 && at.name.includes('/static/'))"
            ".map((at) => at.name)"
        )
        reader.page.screenshot(path=screenshots / "far-away.png")
    print(opened, changed)
    assert opened.drawn < OPEN_MS
    assert changed.drawn < CHANGE_MS
    assert set(again).isdisjoint(asked), "scripts and styles come once"
    scripts = {at for at in asked if "/js/" in at}
    assert scripts
    assert scripts <= set(named), "none is found only by reading another"
    assert sum(at.endswith(f"/api/v1/slides/{slides[0]}") for at in asked) == 1


@pytest.mark.timeout(180)
def test_the_next_field_is_there_because_it_was_fetched_ahead(
    browser: Browser, far: str, state: StorageState, slides: list[str]
) -> None:
    ahead = along(browser, far, state, slides[0], "")
    without = along(browser, far, state, slides[0], "?prefetch=off")
    medians = [statistics.median(view.drawn for view in views) for views in (ahead, without)]
    print("next field, ms:", medians, [view.requests for view in without])
    assert medians[0] < FIELD_MS
    assert medians[0] < 0.6 * medians[1]
    assert sum(view.requests for view in ahead) < 0.5 * sum(view.requests for view in without)
