"""No reason for a refusal is without words, wherever in the project it is raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flows
import processing
import storage
import viewers
from storage.records import snomed
from storage.records.case_events import FACTS
from storage.records.case_words import RescanReason, ScanState, SlideState
from viewers.pages import STATIC

WORD = re.compile(r"[a-z]+(_[a-zA-Z]+)*")
RULES = ("case_rules", "slide_rules", "reading_rules", "annotation_events")
TOLD = ("dicom_", "ups_", "forward", "scan_steps")
"""Modules that refuse other programs, by the codes of their protocols; no page shows those."""
ROOMS = [Path(room.__file__ or "").parent for room in (storage, processing, flows, viewers)]


def table(file: str, name: str) -> set[str]:
    """The keys of one table of a browser module."""
    text = (STATIC / "js" / file).read_text()
    body = re.search(rf"const {name} = {{\n(.*?)\n}};", text, re.DOTALL)
    assert body, name
    return set(re.findall(r'^  "?([\w ]+)"?:', body[1], re.MULTILINE))


def constants(node: ast.AST) -> Iterator[str]:
    """Texts a value may be: itself, or what a condition chooses between."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from constants(node.body)
        yield from constants(node.orelse)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from constants(value)


def returned(file: Path) -> set[str]:
    nodes = ast.walk(ast.parse(file.read_text()))
    values = [at.value for at in nodes if isinstance(at, ast.Return) and at.value]
    return {word for value in values for word in constants(value)}


def raised(file: Path) -> set[str]:
    calls = [at for at in ast.walk(ast.parse(file.read_text())) if isinstance(at, ast.Call)]
    ours = [at for at in calls if isinstance(at.func, ast.Name) and at.func.id == "Illegal"]
    return {word for at in ours if at.args for word in constants(at.args[0])}


def reasons() -> set[str]:
    records = Path(storage.__file__ or "").parent / "records"
    found = {word for name in RULES for word in returned(records / f"{name}.py")}
    found |= returned(records.parent / "case_rows.py")
    found |= {"key_used_before"}  # of storage.cases, which returns "same" beside it
    found |= {f"code_missing_{axis.value}" for axis in snomed.DEMANDED}
    files = [at for room in ROOMS for at in room.rglob("*.py") if not at.name.startswith(TOLD)]
    return found | {word for file in files for word in raised(file)}


def test_every_reason_has_words() -> None:
    wanted = reasons()
    assert {"from_the_future", "already", "barcode_of_another_case", "work_ended"} <= wanted
    assert all(WORD.fullmatch(word) for word in wanted)
    assert sorted(wanted - table("refusal_words.js", "REFUSALS")) == []


def test_no_words_are_left_over() -> None:
    assert sorted(table("refusal_words.js", "REFUSALS") - reasons()) == []


@pytest.mark.parametrize(
    ("file", "name", "codes"),
    [
        ("glass_words.js", "GLASS_STATES", {at.value for at in SlideState}),
        ("glass_words.js", "SCAN_STATES", {at.value for at in ScanState}),
        ("glass_words.js", "RESCAN_REASONS", {at.value for at in RescanReason}),
        ("fact_words.js", "FACTS", set(FACTS)),
    ],
)
def test_every_state_and_event_has_words(file: str, name: str, codes: set[str]) -> None:
    assert table(file, name) == codes
