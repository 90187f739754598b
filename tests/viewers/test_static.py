"""Scripts and styles: small on the line, the same bytes, for ever under their address."""

from __future__ import annotations

import gzip

import pytest

from tests.viewers.conftest import Ask
from viewers.modules import modules
from viewers.pages import STATIC, asset


@pytest.mark.parametrize("path", ["js/viewer.js", "css/base.css", "icons/sprite.svg"])
def test_text_goes_compressed_to_those_who_take_it(path: str, ask: Ask) -> None:
    whole = (STATIC / path).read_bytes()
    with ask(None).stream("GET", asset(path), headers={"Accept-Encoding": "br, gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "Accept-Encoding"
    assert "immutable" in answer.headers["cache-control"]
    assert gzip.decompress(raw) == whole
    assert len(raw) < 0.6 * len(whole)


@pytest.mark.parametrize("accepts", ["identity", "gzip;q=0", "br, gzip; q=0.0", ""])
def test_others_get_it_plain(accepts: str, ask: Ask) -> None:
    answer = ask(None).get(asset("js/viewer.js"), headers={"Accept-Encoding": accepts})
    assert "content-encoding" not in answer.headers
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.content == (STATIC / "js" / "viewer.js").read_bytes()


def test_the_page_names_every_module_and_the_slide(ask: Ask) -> None:
    page = ask("pathologist").get("/slides/anything").text
    assert modules("viewer.js")[0] == "viewer.js"
    for name in modules("viewer.js"):
        assert page.count(f'rel="modulepreload" href="{asset("js/" + name)}"') == 1
    assert 'rel="preload" as="fetch" crossorigin href="/api/v1/slides/anything"' in page
