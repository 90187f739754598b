"""What the documents promise is what there is: every event with its fields, every address."""

from __future__ import annotations

import ast
import dataclasses
import re
import typing
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from flows.services import prepare_services
from storage.records import annotation_events
from storage.records.case_events import FACTS
from storage.settings import read_settings
from tests.viewers.test_rights import leaves, rights
from viewers.app import _context, build_api
from viewers.facts import TOLD

ROOT = Path(__file__).resolve().parents[1]
EVENTS = (ROOT / "docs" / "events.md").read_text("utf-8")
API = (ROOT / "docs" / "api.md").read_text("utf-8")
_EVENT = re.compile(r"([A-Z][a-z]+){2,}")
_QUOTED = re.compile(r"`([^`]+)`")


def rows(text: str) -> list[list[str]]:
    """The cells of all tables."""
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


CASES, BESIDE = EVENTS.split("## Beside cases")


@pytest.mark.parametrize("kind", FACTS.values(), ids=list(FACTS))
def test_every_event_of_a_case_is_told_with_its_fields(kind: type[Any]) -> None:
    (row,) = (row for row in rows(CASES) if row[0].startswith(f"`{kind.__name__}`"))
    fields = dataclasses.fields(kind)
    told = [at.name + ("?" if at.default is not dataclasses.MISSING else "") for at in fields]
    assert _QUOTED.findall(row[1]) == told
    assert row[0].endswith("*") == (kind in TOLD)


def test_no_event_is_told_that_is_not_there() -> None:
    told = {name for row in rows(CASES) for name in _QUOTED.findall(row[0])}
    assert {name for name in told if _EVENT.fullmatch(name)} == set(FACTS)


def test_the_words_of_events_are_told() -> None:
    enums = {
        at
        for kind in FACTS.values()
        for hint in typing.get_type_hints(kind).values()
        for at in (hint, *typing.get_args(hint))
        if isinstance(at, type) and issubclass(at, StrEnum)
    }
    told = {row[0].partition(":")[0]: _QUOTED.findall(row[1]) for row in rows(CASES)}
    for enum in enums:
        assert told[enum.__name__] == [word.value for word in enum]


def test_the_other_events_are_told() -> None:
    told = {name for row in rows(BESIDE) for name in _QUOTED.findall(row[0])}
    assert told == set(recorded_elsewhere()) | set(annotation_events.FACTS)


def recorded_elsewhere() -> Iterator[str]:
    """What the modules of the store name in the past tense, but cases' own."""
    for file in (ROOT / "storage").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            if _EVENT.fullmatch(node.value) and node.value not in FACTS:
                yield node.value


def addresses(cell: str) -> Iterator[str]:
    """The paths of a table's first cell; `/fail` after `…/start` is its neighbour."""
    before = ""
    for quoted in _QUOTED.findall(cell):
        path = quoted.split(" ")[-1].partition("?")[0]
        if path.count("/") == 1 and before.count("/") > 1:
            path = before.rpartition("/")[0] + path
        before = path
        yield shape(path)


def shape(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path)


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    settings = read_settings(tmp_path_factory.mktemp("documented") / "data", {})
    prepare_services(settings)
    every = leaves(build_api(_context(settings)).router.routes)
    return [at for at in every if getattr(at, "include_in_schema", False)]


def test_every_address_is_told_with_its_right(routes: list[Any]) -> None:
    told: dict[str, list[tuple[str, str]]] = {}
    for row in rows(API):
        for path in addresses(row[0]):
            told.setdefault(path, []).append((row[0], row[1]))
    missing = []
    for route in routes:
        if not route.path.startswith(("/api/", "/slides/{slide_id}.dzi", "/healthz", "/readyz")):
            continue
        right = rights(route)[0].value.replace("_", " ")
        found = told.get(shape(route.path), [])
        if not any(right in cell for _, cell in found):
            missing.append((route.path, right, found))
    assert missing == []


def test_no_address_is_told_that_is_not_there(routes: list[Any]) -> None:
    there = {shape(route.path) for route in routes}
    told = {path for row in rows(API) for path in addresses(row[0]) if path.startswith("/api/v1/")}
    assert told - there == set()
