"""Where things lie below the data folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

PRIVATE = 0o700
ACTOR = ".actor"
"""A file beside an uploaded one that says who sent it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Every folder and file svartid owns, from one root."""

    root: Path

    @property
    def incoming(self) -> Path:
        """Scanners and people drop slides here."""
        return self.root / "incoming"

    @property
    def uploads(self) -> Path:
        """Halves of resumable uploads."""
        return self.root / "uploads"

    @property
    def originals(self) -> Path:
        """Received files as they came, by fingerprint."""
        return self.root / "originals"

    @property
    def quarantine(self) -> Path:
        """Files no reader could take, by fingerprint, with nothing changed."""
        return self.root / "quarantine"

    @property
    def pyramids(self) -> Path:
        """Published pyramids, by slide id."""
        return self.root / "pyramids"

    @property
    def cold(self) -> Path:
        """Pyramids of the cold tier, by slide id; may be a mount of a cheaper disk."""
        return self.root / "cold"

    @property
    def staging(self) -> Path:
        """Pyramids and originals in the making; same file system as the published ones."""
        return self.root / "staging"

    @property
    def made(self) -> Path:
        """Tiles made on first sight, until phase two has stored them."""
        return self.root / "made"

    @property
    def findings(self) -> Path:
        """What is wrong with received files, by fingerprint: maps for people."""
        return self.root / "findings"

    @property
    def quality(self) -> Path:
        """What checks found, by slide id: reports and maps, a folder for each run."""
        return self.root / "quality"

    @property
    def models(self) -> Path:
        """Models of others by SHA-256, and under `results` what they drew, by slide id."""
        return self.root / "models"

    @property
    def outbox(self) -> Path:
        """Reports for those who asked, a folder for each; whoever takes them away removes them."""
        return self.root / "outbox"

    @property
    def dicom(self) -> Path:
        """Received DICOM objects as they came, by fingerprint."""
        return self.root / "dicom"

    @property
    def run(self) -> Path:
        """Locks and the state of the processes."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        """One readable log, rotated."""
        return self.root / "logs"

    @property
    def prefect(self) -> Path:
        """The Prefect server's own files."""
        return self.root / "prefect"

    @property
    def database(self) -> Path:
        """The embedded database, unless another is configured."""
        return self.root / "svartid.sqlite"

    def create(self) -> Layout:
        """Make every folder, readable by the owner alone; OSError when the disk refuses."""
        self.root.mkdir(parents=True, exist_ok=True, mode=PRIVATE)
        mode = self.root.stat().st_mode
        if mode & 0o007 and self.root.stat().st_uid == os.getuid():
            self.root.chmod(mode & 0o770)  # it was there before: closed to everybody else
        for folder in (
            self.incoming,
            self.uploads,
            self.originals,
            self.quarantine,
            self.pyramids,
            self.cold,
            self.staging,
            self.made,
            self.findings,
            self.quality,
            self.models,
            self.outbox,
            self.dicom,
            self.run,
            self.logs,
            self.prefect,
        ):
            folder.mkdir(exist_ok=True, mode=PRIVATE)
        return self
