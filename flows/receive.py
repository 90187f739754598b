"""The one way in: a bundle of files becomes an original and an intake row, exactly once."""

from __future__ import annotations

from pathlib import Path

from flows.originals import Bundle, let_go, take_over
from flows.services import Services
from storage import intake
from storage.database import now
from storage.intake import Delivery
from storage.records.intake import Intake, Source


def receive(
    services: Services,
    bundle: Bundle,
    source: Source,
    actor: str,
    *,
    move: bool = False,
    lossless: bool = False,
    share: bool = False,
) -> tuple[Intake, bool]:
    """Take a bundle over and enter it; its row, and whether that is new work.

    With `move` the files are gone afterwards, and never before the row is there; with `share`
    they are our own and stay.

    Errors: ChangedWhileRead, NoSpace, SlideError when the file cannot be read at all.
    """
    began = now()
    original = take_over(services.layout, bundle, move=move, share=share)
    delivery = Delivery(
        original.fingerprint, bundle.name, original.bytes, source, actor, lossless, began
    )
    row, new = intake.submit(services.database, delivery)
    if move:
        let_go(bundle)
    return row, new


def remove_empty_folders(root: Path, folder: Path) -> None:
    """Tidy a watched folder after its files have been moved out, up to but not with `root`."""
    while folder != root and folder.is_relative_to(root):
        try:
            folder.rmdir()
        except OSError:
            return
        folder = folder.parent
