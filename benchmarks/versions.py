"""With which versions of programs and libraries the figures were taken."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.metadata import version

_PROGRAMS = {
    "vips": ("vips", "--version"),
    "nginx": ("nginx", "-v"),
    "wrk": ("wrk", "-v"),
    "Orthanc": ("Orthanc", "--version"),
    "OrthancWSIDicomizer": ("OrthancWSIDicomizer", "--version"),
}
_PACKAGES = ("orthanc-wsi", "iipimage-server", "libvips42", "libturbojpeg0")
_OURS = ("svartid", "openslide-python", "openslide-bin", "simplejpeg", "starlette", "uvicorn")
_NUMBER = re.compile(r"\d+\.\d+[\w.+~-]*")


def versions() -> dict[str, str]:
    """Versions of programs and libraries that take part; those not installed are left out."""
    found = {name: version(name) for name in _OURS}
    for name, command in _PROGRAMS.items():
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            number = _NUMBER.search(done.stdout + done.stderr)
            found[name] = number[0] if number else "unknown"
    if shutil.which("dpkg-query"):
        query = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *_PACKAGES]
        done = subprocess.run(query, capture_output=True, text=True, check=False)
        pairs = (line.split() for line in done.stdout.splitlines())
        found |= {f"{pair[0]} (package)": pair[1] for pair in pairs if len(pair) == 2}
    return found
