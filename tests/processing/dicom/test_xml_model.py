"""The Native DICOM Model in XML, beside what dcmtk makes of the same files."""

from __future__ import annotations

import subprocess
from pathlib import Path
from xml.etree import ElementTree

import pydicom
import pytest
from pydicom.dataset import Dataset

from processing.dicom.json_model import to_model
from processing.dicom.xml_model import to_xml

Said = dict[str, tuple[str, str | None, str | None, list[str]]]
FILES = ("CT1_J2KI.dcm", "highdicom-dx_image.dcm", "pydicom-test-SR.dcm", "pydicom-rtplan.dcm",
         "pydicom-examples_overlay.dcm")  # fmt: skip


def name_of(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def said(root: ElementTree.Element, path: str = "") -> Said:
    """Every attribute by its path: VR, keyword, creator, values."""
    found: Said = {}
    for at in root:
        tag = at.attrib["tag"]
        values = [text(value) for value in at if name_of(value) in ("Value", "PersonName")]
        found[path + tag] = (at.attrib["vr"], at.get("keyword"), at.get("privateCreator"), values)
        for item in at:
            if name_of(item) == "Item":
                found |= said(item, f"{path}{tag}/{item.attrib['number']}/")
    return found


def text(value: ElementTree.Element) -> str:
    whole = "^".join(part.strip() for part in value.itertext() if part.strip())
    try:
        return f"{float(whole):.6g}"
    except ValueError:
        return whole


@pytest.mark.parametrize("name", FILES)
def test_it_is_what_dcmtk_says(name: str, slides_dir: Path) -> None:
    file = slides_dir / "radiology" / name
    command = ["dcm2xml", "--native-format", "--charset-assume", "latin-1", "-q", file]
    theirs = said(ElementTree.fromstring(subprocess.run(command, capture_output=True).stdout))
    dataset = pydicom.dcmread(file, stop_before_pixels=True)
    ours = said(ElementTree.fromstring(to_xml(to_model(dataset))))
    left_out = {path.rpartition("/")[2] for path in set(theirs) - set(ours)}
    assert left_out <= {"7FE00010", "FFFCFFFC"}  # pixels and padding
    assert set(ours) <= set(theirs)
    for path, (vr, keyword, creator, values) in ours.items():
        other = theirs[path]
        if path in {"00080005", "00110010"} or vr == "UN":
            continue  # our answers are in UTF-8; a creator that dcmtk takes for another
        assert (vr, creator) == (other[0], other[2]), path
        assert other[1] in (None, keyword), path  # dcmtk's dictionary is older
        assert [at for at in values if at] == [at for at in other[3] if at], path


def test_names_and_signs_that_xml_has_no_letter_for() -> None:
    dataset = Dataset()
    dataset.PatientName = "Ærø^Åse^M=山田^太郎"
    dataset.PatientID = 'a<b>&"c"'
    dataset.StudyDescription = "bell \x07"
    root = ElementTree.fromstring(to_xml(to_model(dataset)))
    parts = [(name_of(at), at.text) for at in root.iter() if name_of(at).endswith("Name")]
    assert parts == [
        ("PersonName", None), ("FamilyName", "Ærø"), ("GivenName", "Åse"), ("MiddleName", "M"),
        ("FamilyName", "山田"), ("GivenName", "太郎"),
    ]  # fmt: skip
    assert said(root)["00100020"][3] == ['a<b>&"c"']
    assert said(root)["00081030"][3] == ["bell \N{REPLACEMENT CHARACTER}"]
