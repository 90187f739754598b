"""The house rules that a machine can keep: imports, sizes, names, and what `--help` says."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flows.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("flows", "processing", "storage", "viewers")
BIN = Path(sys.executable).parent
MOST_LINES, MOST_FUNCTION_LINES, MOST_BROWSER_LINES = 300, 60, 150
HEAVY = ("numpy", "prefect", "tifffile", "sqlalchemy", "zarr", "dask", "fastapi", "cv2", "pydicom")


def modules() -> list[Path]:
    return [
        file
        for room in ROOMS
        for file in sorted((ROOT / room).rglob("*.py"))
        if "vendor" not in file.parts
    ]


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def named(file: Path) -> str:
    return str(file.relative_to(ROOT))


def test_import_contracts_are_kept() -> None:
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("room", ROOMS)
def test_each_room_is_this_checkout_from_anywhere(room: str, tmp_path: Path) -> None:
    """All four names exist on the package index; ours must be found."""
    code = f"import {room}; print({room}.__file__)"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == ROOT / room / "__init__.py"


def test_files_are_short() -> None:
    long = {named(file): len(file.read_text().splitlines()) for file in modules()}
    assert {name: lines for name, lines in long.items() if lines > MOST_LINES} == {}


def test_browser_files_are_short() -> None:
    scripts = sorted((ROOT / "viewers" / "static" / "js").glob("*.js"))
    assert scripts
    long = {named(file): len(file.read_text().splitlines()) for file in scripts}
    assert {name: lines for name, lines in long.items() if lines > MOST_BROWSER_LINES} == {}


def test_functions_are_short() -> None:
    """But for migrations, which list tables."""
    long = {
        f"{named(file)}:{node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in modules()
        if file.parent.name != "versions"
        for node in functions(file)
    }
    assert {name: lines for name, lines in long.items() if lines > MOST_FUNCTION_LINES} == {}


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        f"{named(file)}:{at.lineno}"
        for file in modules()
        for node in functions(file)
        for at in ast.walk(node)
        if isinstance(at, ast.Import | ast.ImportFrom)
    ]
    assert inside == []


def test_everything_is_annotated_and_public_things_are_explained() -> None:
    missing = []
    for file in modules():
        tree = ast.parse(file.read_text())
        if not ast.get_docstring(tree) and file.name != "__init__.py":
            missing.append(named(file))
        missing += [
            f"{named(file)}:{node.name}"
            for node in functions(file)
            if node.returns is None and node.name != "__init__"
        ]
    assert missing == []


def test_no_file_is_named_after_a_library_or_a_room() -> None:
    taken = {"numpy", "prefect", "tifffile", "zarr", "dask", "fastapi", "logging", "json", *ROOMS}
    assert [named(file) for file in modules() if file.stem in taken] == []


def test_help_lists_every_command_quickly(tmp_path: Path) -> None:
    code = (
        "import json, sys\nfrom flows.cli import main\nassert main(['--help']) == 0\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    text, _, loaded = done.stdout.rstrip().rpartition("\n")
    assert [name for name in HEAVY if name in json.loads(loaded)] == []
    for name, (_, summary) in COMMANDS.items():
        assert f"  {name}" in text
        assert summary in text
    assert "examples:" in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    done = subprocess.run([BIN / "svartid", name, "--help"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: svartid {name}" in done.stdout
    assert f"svartid {name}" in done.stdout.partition("examples:")[2]
    assert "--data DIR" in done.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "usage: svartid"),
        (["nonsense"], "there is no command 'nonsense'"),
        (["ingest"], "required: PATH"),
        (["ingest", "/no/such/file"], "no such file or folder"),
        (["export", "x"], "--to"),
        (["region", "x", "--level", "none"], "--level"),
        (["token", "destroy"], "invalid choice"),
    ],
)
def test_wrong_usage_ends_with_2(words: list[str], told: str, tmp_path: Path) -> None:
    done = subprocess.run([BIN / "svartid", *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
