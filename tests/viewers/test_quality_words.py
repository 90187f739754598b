"""Every word that a check can say has words on the screen, and every figure that decides."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from processing import quality
from processing.quality.assess import OFF
from processing.quality.checks import TABLE
from processing.quality.verdict import DEFAULT
from storage import quality_worklist
from storage.quality import REJECTED, RELEASED
from storage.records.quality import QualityState
from viewers.pages import STATIC

WORDS = "".join(
    (STATIC / "js" / name).read_text("utf-8") for name in ("quality_words.js", "quality_figures.js")
)
TREES = [ast.parse(path.read_text("utf-8")) for path in Path(quality.__path__[0]).glob("*.py")]
LIMITS_ARE_FOURTH = 3


def table(name: str) -> set[str]:
    """The keys of one table of words."""
    body = re.search(rf"const {name} = {{\n(.*?)\n}};", WORDS, re.DOTALL)
    assert body, name
    return set(re.findall(r'^  "?([\w.]+)"?:', body[1], re.MULTILINE))


def calls(name: str) -> Iterator[ast.Call]:
    for tree in TREES:
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == name:
                yield node


def texts(nodes: list[ast.expr]) -> set[str]:
    """The strings in tuples and by themselves."""
    inside = [at for node in nodes for at in ast.walk(node)]
    return {at.value for at in inside if isinstance(at, ast.Constant) and isinstance(at.value, str)}


def named(call: ast.Call, name: str) -> list[ast.expr]:
    return [at.value for at in call.keywords if at.arg == name]


def limits() -> set[str]:
    """Of calls that name them, and of what is called `limits`."""
    given = [at for call in calls("Measured") for at in named(call, "limits")]
    given += [call.args[LIMITS_ARE_FOURTH] for call in calls("Measured") if len(call.args) > 3]
    assigned = [at for tree in TREES for at in ast.walk(tree) if isinstance(at, ast.Assign)]
    for at in assigned:
        names = {getattr(target, "id", "") for target in at.targets}
        if names & {"limits", "LIMITS"} and isinstance(at.value, ast.Tuple):
            given += [each for each in at.value.elts if isinstance(each, ast.Constant)]
    return texts(given)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("CHECKS", set(TABLE)),
        ("FIGURES", {rule.figure for rule in DEFAULT.rules if rule.check in TABLE}),
        ("WHY_NOT", texts([at for call in calls("NotEvaluated") for at in call.args]) | {OFF}),
        ("CLASSES", texts([at for call in calls("CellMap") for at in named(call, "classes")])),
        ("LIMITS", limits()),
        (
            "QUALITY_STATES",
            {at.value for at in QualityState} | {RELEASED, REJECTED, quality_worklist.NOT_YET},
        ),
    ],
)
def test_every_word_of_a_check_has_words(name: str, words: set[str]) -> None:
    assert words
    assert words - table(name) == set()
