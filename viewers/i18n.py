"""Languages: catalogues, the reader's choice of language, dates and numbers in words.

The message id is the English text. Danish lies in `locale/da/LC_MESSAGES/svartid.po`, read
once at start; there is no compile step. Times are shown in Danish local time.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from starlette.requests import Request

from viewers.cookies import cookie_value

LOCALE: Final = Path(__file__).parent / "locale"
DOMAIN: Final = "svartid"
LANGUAGES: Final = ("da", "en")
DEFAULT_LANGUAGE: Final = "da"
LANGUAGE_COOKIE: Final = "svartid_language"
TIME_ZONE: Final = ZoneInfo("Europe/Copenhagen")
MOMENT_PATTERNS: Final = {"da": "d. MMM HH.mm", "en": "yyyy-MM-dd HH:mm"}

Catalogue = Mapping[str, str | list[str]]
Translator = Callable[[str], str]


def mark(message: str) -> str:
    """Mark a text for the catalogue where it is written, to be translated where it is shown."""
    return message


def catalogue_path(language: str) -> Path:
    """Where one language's catalogue lies; English needs none."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


@cache
def catalogue(language: str) -> Catalogue:
    """Every translated text of one language: one string, or one for each plural form."""
    path = catalogue_path(language)
    if not path.exists():
        return {}
    with path.open("rb") as opened:
        messages = read_po(opened, locale=language)
    texts: dict[str, str | list[str]] = {}
    for message in messages:
        if not message.id or message.fuzzy:
            continue
        if isinstance(message.id, str):
            texts[message.id] = str(message.string)
        else:
            texts[message.id[0]] = [str(text) for text in message.string or ()]
    return texts


def translator(language: str) -> Translator:
    """The function that turns an English text into `language`; unknown texts stay English."""
    texts = catalogue(language)

    def translate(message: str) -> str:
        text = texts.get(message)
        return text if isinstance(text, str) and text else message

    return translate


def language_of(request: Request) -> str:
    """The reader's language: the cookie, else what the browser asks for, else Danish."""
    chosen = cookie_value(request.headers.get("cookie", ""), LANGUAGE_COOKIE)
    if chosen in LANGUAGES:
        return chosen
    for wanted in _accepted(request.headers.get("accept-language", "")):
        if wanted in LANGUAGES:
            return wanted
    return DEFAULT_LANGUAGE


def format_moment(moment: datetime, language: str) -> str:
    """`22. nov. 14.05` in Danish, `2026-11-22 14:05` in English."""
    pattern = MOMENT_PATTERNS[language]
    return format_datetime(moment, pattern, tzinfo=TIME_ZONE, locale=language)


def format_number(number: float, language: str, decimals: int = 0) -> str:
    """A number with the language's decimal sign and a fixed count of decimals."""
    pattern = "#,##0" + ("." + "0" * decimals if decimals else "")
    return format_decimal(number, format=pattern, locale=language)


def _accepted(header: str) -> list[str]:
    weighted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameters = part.partition(";")
        language = tag.strip().split("-")[0].lower()
        weighted.append((_quality(parameters), language))
    weighted.sort(key=lambda pair: -pair[0])
    return [language for quality, language in weighted if quality > 0]


def _quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
