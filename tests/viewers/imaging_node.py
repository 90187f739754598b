"""The pure modules of the radiology page, run by Node: JSON in, JSON out."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset

from viewers.modules import MODULES

Model = dict[str, Any]

PURE = (
    "tags", "stack", "spacing", "window", "values", "colour", "view", "orientation", "pixels",
    "cine", "overlay", "report",
)  # fmt: skip
_STUBS = {
    "dom.js": "export const h = () => null;",
    "i18n.js": "export const t = (text) => text;",
}
"""What only the drawing parts of a module need."""
_HEAD = """
const bytes = (text) => Uint8Array.from(Buffer.from(text, "base64"));
const read = async (attribute) =>
  attribute?.InlineBinary === undefined ? null : bytes(attribute.InlineBinary);
const list = (value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
"""


@dataclass(frozen=True)
class Node:
    """A folder with the modules, and the program."""

    program: str
    folder: Path

    def run(self, script: str, **given: Any) -> Any:  # noqa: ANN401
        """What `script`, the body of an async function of `given`, returns."""
        imports = "".join(f'import * as {at} from "./imaging_{at}.js";\n' for at in PURE)
        told = f"const given = {json.dumps(given)};\n"
        main = f"const answer = await (async () => {{ {script} }})();\n"
        whole = imports + _HEAD + told + main + "console.log(JSON.stringify(answer));\n"
        (self.folder / "main.js").write_text(whole)
        done = subprocess.run(
            [self.program, "main.js"], cwd=self.folder, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


def node_in(folder: Path) -> Node:
    """Node with the modules in `folder`; without it the test is skipped, or fails if required."""
    program = shutil.which("node")
    if program is None:
        if os.environ.get("SVARTID_REQUIRE_SLIDES") == "1":
            pytest.fail("node is not here; tests/system-packages.sh installs it")
        pytest.skip("no node here: tests/system-packages.sh installs it")
    for name in PURE:
        shutil.copy(MODULES / f"imaging_{name}.js", folder)
    for name, text in _STUBS.items():
        (folder / name).write_text(text)
    (folder / "package.json").write_text('{"type": "module"}')
    return Node(program, folder)


def model(**keywords: Any) -> Model:  # noqa: ANN401
    """A dataset as the browser gets it."""
    dataset = Dataset()
    for keyword, value in keywords.items():
        setattr(dataset, keyword, value)
    made: Model = json.loads(dataset.to_json())
    return made


def text_of(values: np.ndarray[Any, Any]) -> str:
    """Values as they stand in the model."""
    return base64.b64encode(values.tobytes()).decode()
