"""What judges our pages does see, under the headers our pages have."""

from __future__ import annotations

from playwright.sync_api import Browser, Route

from tests.journeys.axe import violations
from viewers.headers import SECURITY

_GOOD = """<!doctype html><html lang="da"><title>Svartid</title><main><h1>Svartid</h1>
<p id="told">91 %</p></main>"""
_BAD = _GOOD.replace("</main>", '<button></button></main><p id="outside">x</p>')


def test_faults_are_found_and_named_by_where_they_are(browser: Browser) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.route("**/*", _serve)
    page.goto("http://localhost/good")
    assert violations(page) == []
    page.goto("http://localhost/bad")
    found = violations(page)
    assert [line.split(" ")[0] for line in found] == ["button-name", "region"]
    assert found[1].endswith(": #outside")
    assert violations(page, without=("button", "#outside")) == []
    assert complaints == []
    page.close()


def _serve(route: Route) -> None:
    body = _BAD if route.request.url.endswith("bad") else _GOOD
    route.fulfill(body=body, content_type="text/html", headers=SECURITY)
