"""A department whose patient has been to radiology as well: the study is handed in by STOW-RS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from playwright.sync_api import Browser, Route

from tests.journeys.imaging_files import Made, make_study
from tests.journeys.imaging_screen import Imaging
from tests.journeys.ward import Ward, opened

CASE = "P26-200001"
_BOUNDARY = "svartid-imaging"


@dataclass(frozen=True)
class ImagingWard:
    """The department, its case with two slides, and the patient's series."""

    ward: Ward
    made: Mapping[str, Made]

    @contextmanager
    def window(self, browser: Browser, name: str = "pia") -> Iterator[Imaging]:
        """The radiology page of somebody; nothing may go wrong in it, and nobody else is asked."""
        with self.ward.window(browser, name) as page:
            seen = Imaging(page, self.ward.url, self.made)
            page.on("console", lambda at: at.type == "error" and seen.complaints.append(at.text))
            page.route(lambda at: not at.startswith((self.ward.url, "blob:")), _refuse)
            page.on("requestfailed", lambda at: seen.asked_outside(at.url))
            yield seen
        assert not seen.complaints, seen.complaints

    def store(self, *paths: Path) -> httpx.Response:
        """Hand objects in as the laboratory's program does."""
        token = self.ward.department.tokens["tina"]
        parts = [
            b"--%b\r\nContent-Type: application/dicom\r\n\r\n%b\r\n"
            % (_BOUNDARY.encode(), path.read_bytes())
            for path in paths
        ]
        kind = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
        return httpx.post(
            f"{self.ward.url}/dicom-web/studies",
            content=b"".join(parts) + f"--{_BOUNDARY}--\r\n".encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": kind},
            timeout=60,
        )


@contextmanager
def radiology(slides: Path, folder: Path) -> Iterator[ImagingWard]:
    """The department with everything stored, served until the end."""
    files = folder / "files"
    files.mkdir()
    made = make_study(slides, files)
    with opened(folder) as ward:
        ward.case(CASE, 0, 1)
        found = ImagingWard(ward, made)
        answer = found.store(*(path for at in made.values() for path in at.paths))
        assert answer.status_code == 200, answer.text[:2000]
        yield found


def _refuse(route: Route) -> None:
    route.abort()
