"""A patient's case and radiology, in a running svartid with dcmtk and Orthanc round it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pydicom
from dicomweb_client import DICOMwebClient

from tests.journeys.dicom import (
    ACCESSION,
    HOST,
    VIRTUAL,
    Dcmtk,
    files_of_the_patient,
    make_case,
    person,
    studies,
)
from tests.journeys.running import Running, free_port, wait_for
from tests.orthanc import Orthanc, an_orthanc

SIZE = "1400", "1000"


@dataclass
class Hospital:
    """Who and what is there."""

    up: Running
    port: int
    dcmtk: Dcmtk
    orthanc: Orthanc
    files: dict[str, Path]
    tokens: dict[str, str]
    move_port: int
    virtual: str
    """Slide id of the glass that came as SVS."""

    def web(self, who: str) -> DICOMwebClient:
        """The reference client, as somebody."""
        headers = {"Authorization": f"Bearer {self.tokens[who]}"}
        return DICOMwebClient(f"{self.up.url}/dicom-web", headers=headers)

    def series_of_slide(self) -> dict[str, Any]:
        """The series of the glass that came as SVS."""
        found = self.web("pia").search_for_series(
            fields=["ContainerIdentifier"], search_filters={"AccessionNumber": ACCESSION}
        )
        (mine,) = (at for at in found if at.get("00400512", {}).get("Value") == [VIRTUAL])
        return dict(mine)


@contextmanager
def a_hospital(folder: Path, slides_dir: Path) -> Iterator[Hospital]:
    """Started, told of the patient, and sent the radiology."""
    port, move_port = free_port(), free_port()
    modalities = {"svartid": ["SVARTID", HOST, port]}
    with (
        Running(folder, "--dicom-port", str(port), SVARTID_SETTLE_SECONDS="0.5") as up,
        an_orthanc(folder / "orthanc", modalities=modalities) as orthanc,
    ):
        everything = [word for may in ("store", "query", "retrieve") for word in ("--may", may)]
        for name, title, at in (
            ("dcmtk", "DCMTK", move_port),
            ("archive", "ARCHIVE", orthanc.dicom_port),
        ):
            up.command("peer", "add", name, "--ae-title", title, "--host", HOST, "--port", str(at),
                       *everything)  # fmt: skip
        up.command("peer", "add", "stranger", "--ae-title", "STRANGER", "--host", HOST,
                   "--unit", "elsewhere", "--may", "query", "--may", "retrieve")  # fmt: skip
        make_case(up)
        svs = folder / "glass.svs"
        assert up.run("paint", svs, "--width", SIZE[0], "--height", SIZE[1], "--barcode", VIRTUAL,
                      "--accession", ACCESSION).returncode == 0  # fmt: skip
        (line,) = up.command("ingest", svs)
        tokens = {"pia": person(up, "pia", "pathologist"), "tina": person(up, "tina", "technician")}
        tools = folder / "dcmtk"
        tools.mkdir()
        dcmtk = Dcmtk("DCMTK", port, tools)
        files = files_of_the_patient(slides_dir, folder / "files")
        made = Hospital(up, port, dcmtk, orthanc, files, tokens, move_port, line["slide_id"])
        wait_for(lambda: studies(up, tokens["pia"], AccessionNumber=ACCESSION), 30, "the case")
        dcmtk.run("storescu", "-xf", _every_syntax(folder, files.values()), "All", *files.values())
        yield made


def _every_syntax(folder: Path, files: Iterable[Path]) -> Path:
    """A profile by which storescu proposes every class of the files in every syntax."""
    syntaxes = ("LocalEndianExplicit", "JPEG2000", "JPEG2000LosslessOnly", "RLELossless",
                "JPEGLSLossless", "JPEGBaseline")  # fmt: skip
    lines = ["[[TransferSyntaxes]]"]
    for name in syntaxes:
        lines += [f"[{name}]", f"TransferSyntax1 = {name}"]
    lines += ["[[PresentationContexts]]", "[Everything]"]
    classes = {str(pydicom.dcmread(at, stop_before_pixels=True).SOPClassUID) for at in files}
    pairs = enumerate(product(sorted(classes), syntaxes), start=1)
    lines += [f"PresentationContext{at} = {sop}\\{name}" for at, (sop, name) in pairs]
    lines += ["[[Profiles]]", "[All]", "PresentationContexts = Everything"]
    file = folder / "storescu.cfg"
    file.write_text("\n".join(lines) + "\n")
    return file
