"""Every text has a Danish translation, none is left over; languages, dates, and addresses."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.messages.extract import extract
from babel.messages.pofile import read_po
from starlette.requests import Request

from viewers import i18n, pages

VIEWERS = Path(pages.__file__).parent
KEYWORDS = {"t": None, "tn": (1, 2), "mark": None}
SOURCES = {
    "*.py": "python",
    "templates/*.html": "jinja2.ext:babel_extract",
    "static/js/*.js": "javascript",
}
PLACEHOLDER = re.compile(r"\{(\w+)\}")
NESTED = re.compile(r"""\$\{[^`]*?\bt\("([^"\\]*)\"""")
"""A text inside a template literal, which the extractor passes by."""
Message = str | tuple[str, ...]


def used_messages() -> Iterator[Message]:
    for pattern, method in SOURCES.items():
        for path in sorted(VIEWERS.glob(pattern)):
            with path.open("rb") as source:
                for _, message, _, _ in extract(method, source, keywords=KEYWORDS):
                    yield message
    for path in sorted(VIEWERS.glob("static/js/*.js")):
        yield from NESTED.findall(path.read_text("utf-8"))


def danish_messages() -> dict[Message, Message]:
    with i18n.catalogue_path("da").open("rb") as opened:
        messages = read_po(opened, locale="da")
    return {message.id: message.string for message in messages if message.id}


def test_every_text_has_a_danish_translation() -> None:
    danish = danish_messages()
    assert sorted(str(used) for used in set(used_messages()) if used not in danish) == []


def test_no_translation_is_left_over() -> None:
    used = set(used_messages())
    assert sorted(str(message) for message in danish_messages() if message not in used) == []


def test_every_translation_says_something_and_fills_the_same_places() -> None:
    for message, danish in danish_messages().items():
        for english, translated in zip(_forms(message), _forms(danish), strict=True):
            assert translated.strip(), message
            assert set(PLACEHOLDER.findall(translated)) == set(PLACEHOLDER.findall(english))


def test_texts_are_extracted_from_all_three_kinds_of_source() -> None:
    used = set(used_messages())
    assert "Administrator" in used
    assert "Upload slide" in used
    assert ("{count} slide", "{count} slides") in used


def test_translator_turns_english_into_danish_and_leaves_unknown_texts() -> None:
    translate = i18n.translator("da")
    assert translate("My cases") == "Mine sager"
    assert translate("No such text") == "No such text"
    assert i18n.translator("en")("My cases") == "My cases"


@pytest.mark.parametrize(
    ("cookie", "accepted", "language"),
    [
        (None, "", "da"),
        (None, "en-GB,en;q=0.9,da;q=0.8", "en"),
        (None, "da;q=0.5, en;q=0.4", "da"),
        (None, "de, en;q=0", "da"),
        (None, "de, en;q=rubbish", "da"),
        ("en", "da", "en"),
        ("xx", "en", "en"),
    ],
)
def test_language_of_request(cookie: str | None, accepted: str, language: str) -> None:
    headers = [(b"accept-language", accepted.encode())]
    if cookie is not None:
        headers.append((b"cookie", f"{i18n.LANGUAGE_COOKIE}={cookie}".encode()))
    assert i18n.language_of(Request({"type": "http", "headers": headers})) == language


def test_moments_and_numbers_are_written_as_the_language_writes_them() -> None:
    moment = datetime(2026, 11, 22, 13, 5, tzinfo=UTC)
    assert i18n.format_moment(moment, "da") == "22. nov. 14.05"
    assert i18n.format_moment(moment, "en") == "2026-11-22 14:05"
    assert i18n.format_number(1234.5, "da", 1) == "1.234,5"
    assert i18n.format_number(1234.5, "en", 1) == "1,234.5"


@pytest.mark.parametrize(
    ("target", "safe"),
    [
        ("/slides/abc?drawer=canvas", "/slides/abc?drawer=canvas"),
        (None, "/"),
        ("", "/"),
        ("//elsewhere.example", "/"),
        ("/\\elsewhere.example", "/"),
        ("https://elsewhere.example", "/"),
        ("/x\r\nSet-Cookie: a=b", "/"),
    ],
)
def test_only_addresses_on_this_site_are_returned_to(target: str | None, safe: str) -> None:
    assert pages.safe_next(target) == safe


def _forms(message: Message) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)
