"""The catalogue of images shows everybody what is within reach, and nobody more."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from flows.cli import main
from flows.services import Services
from storage import cases, dicom_objects, imaging, patients
from storage.case_log import Said
from storage.catalogue import slides
from storage.dicom_objects import SeriesFacts, StoredObject
from storage.errors import Illegal, NotFound
from storage.received_series import concern_of_received
from storage.records import case_events as events
from storage.records import reading_events as reading
from storage.records import slide_events
from storage.records.access import decide
from storage.records.case_words import AssignedBy
from storage.records.imaging import Entered, SeriesEntry, Wanted
from storage.records.milestones import Distance, Priority, SpecimenClass
from storage.records.people import Principal, Right, Role
from storage.relations import concern_of_slide

UNIT, ELSEWHERE = "naestved", "roskilde"
CPR, NAME, ACCESSION, BARCODE = "0101901234", "Anna Marie Andersen", "P26-000001", "P26-000001-A1-1"
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def who(role: Role, unit: str = UNIT) -> Principal:
    return Principal("somebody", role, "session", unit, unit)


def make_case(services: Services, slide_id: str) -> None:
    """A case with one glass, whose image that slide is."""
    with services.database.transaction() as connection:
        patient_id = patients.enter(connection, "cpr", CPR, NAME)
    ordered = events.CaseOrdered(
        patient_id, "Torvet", UNIT, UNIT, Priority.ROUTINE, SpecimenClass.BIOPSY
    )
    for fact in (
        ordered,
        events.SpecimenReceived("A", "T06"),
        events.CaseAccessioned(),
        events.BlockEmbedded("A", "A1"),
        slide_events.SlideExpected(BARCODE, "A", "A1", "HE"),
        slide_events.SlideStained(BARCODE),
        slide_events.ImageStored(BARCODE, slide_id),
        slide_events.ImageAvailable(BARCODE, slide_id),
    ):
        cases.record(services.database, ACCESSION, fact, Said("test", "test", AT))


def radiology(
    uid: str, identifier: str = CPR, name: str = NAME, study: str = "1.2.3"
) -> SeriesFacts:
    return SeriesFacts(
        f"1.2.3.{uid}", study, "MG", identifier, name, "R123", body_part="BREAST",
        study_at=AT - timedelta(days=3),
    )  # fmt: skip


def receive(
    services: Services, series: SeriesFacts, sop: str = "1.9.1", sha: str = "a" * 64
) -> Entered:
    found = StoredObject(
        sop, "1.2.840.10008.5.1.4.1.1.1.2", series.study_uid, series.series_uid,
        "1.2.840.10008.1.2.1", sha, 10, 0, "{}", datetime.now(UTC), "pacs",
    )  # fmt: skip
    return dicom_objects.enter(services.database, found, 1, series)


@pytest.fixture
def filled(services: Services, tiny_svs: Path) -> Services:
    """A slide in a case, a mammogram of the same patient, one of nobody known here."""
    assert main(["ingest", str(tiny_svs)]) == 0
    make_case(services, slides(services.database)[0].slide_id)
    receive(services, radiology("1"), "1.9.1", "a" * 64)
    receive(services, radiology("2", "0202901111", "Bo Bentsen", "1.2.4"), "1.9.2", "b" * 64)
    receive(services, radiology("3", CPR, "Someone Else", "1.2.5"), "1.9.3", "c" * 64)
    return services


SEEN = {
    (Role.PATHOLOGIST, UNIT): {"SM", "1.2.3.1"},
    (Role.TECHNICIAN, UNIT): {"SM", "1.2.3.1", "1.2.3.2", "1.2.3.3"},
    (Role.NODE, UNIT): {"SM", "1.2.3.1"},
    (Role.NODE, ""): {"SM", "1.2.3.1"},
    (Role.NODE, ELSEWHERE): set(),
    (Role.PATHOLOGIST, ELSEWHERE): set(),
    (Role.TECHNICIAN, ELSEWHERE): {"1.2.3.2", "1.2.3.3"},
    (Role.SECRETARY, UNIT): set(),
    (Role.OPS, UNIT): set(),
    (Role.ADMINISTRATOR, UNIT): set(),
    (Role.RESEARCHER, UNIT): set(),
    (Role.GUEST, UNIT): set(),
    (Role.DEVICE, UNIT): set(),
    (Role.CONSULTANT, UNIT): set(),
}


def test_who_sees_what(filled: Services) -> None:
    """Somebody else's name under a known number is nobody's until a person has looked."""
    for (role, unit), expected in SEEN.items():
        principal = who(role, unit)
        found = imaging.series(filled.database, principal, Wanted())
        seen = {"SM" if at.slide_id else at.series_uid for at in found}
        assert seen == expected, (role, unit)
        for uid in ("1.2.3.1", "1.2.3.2", "1.2.3.3"):
            concern = concern_of_received(filled.database, principal, uid)
            relation = concern.relation if concern else None
            decision = decide(principal, Right.READ_SLIDES, relation)
            assert bool(decision) == (uid in seen), (role, unit, uid)


def test_a_unit_that_is_asked_is_its_physicians(filled: Services) -> None:
    """Not its operators, its laboratory or its PACS: names in a list are patient data, too."""
    asked = reading.ConsultationRequested("q1", Distance.REGIONAL, ELSEWHERE, "?")
    for fact in (reading.CaseAssigned("pia", AssignedBy.RULES), asked):
        cases.record(filled.database, ACCESSION, fact, Said("test", "test", AT))
    for role in Role:
        principal = who(role, ELSEWHERE)
        found = imaging.series(filled.database, principal, Wanted(identifier=CPR))
        assert all(_may_see(filled, principal, at) for at in found), role
        is_asked = role in (Role.PATHOLOGIST, Role.CONSULTANT)
        assert any(at.whose.patient_id for at in found) == is_asked, role


def _may_see(services: Services, principal: Principal, entry: SeriesEntry) -> bool:
    if entry.slide_id:
        concern = concern_of_slide(services.database, principal, entry.slide_id)
    else:
        concern = concern_of_received(services.database, principal, entry.series_uid)
    return bool(decide(principal, Right.READ_SLIDES, concern.relation if concern else None))


def test_every_role_is_asked() -> None:
    assert {role for role, _ in SEEN} == set(Role)


def test_a_slide_is_in_its_cases_study(filled: Services) -> None:
    nurse = who(Role.PATHOLOGIST)
    slide = next(at for at in imaging.series(filled.database, nurse, Wanted()) if at.slide_id)
    assert (slide.accession, slide.case) == (ACCESSION, ACCESSION)
    came = next(at for at in imaging.series(filled.database, nurse, Wanted()) if at.received)
    assert (came.accession, came.case) == ("R123", "")  # its sender's word is no case of ours
    assert (slide.whose.identifier, slide.whose.name) == (CPR, NAME)
    assert slide.series_description == "A A1 HE"
    assert slide.glass.barcode == BARCODE
    assert not slide.study_uid.startswith(slide.series_uid)


def test_studies_come_newest_first_and_in_pages(filled: Services) -> None:
    tina = who(Role.TECHNICIAN)
    whole = imaging.study_uids(filled.database, tina, Wanted(), 10)
    assert len(whole) == 4
    pages = [imaging.study_uids(filled.database, tina, Wanted(), 1, at) for at in range(5)]
    assert [uid for page in pages for uid in page] == whole
    assert set(whole[1:]) == {"1.2.3", "1.2.4", "1.2.5"}


NARROWED = [
    (Wanted(accession=ACCESSION), 1),
    (Wanted(accession="R123"), 3),
    (Wanted(identifier=CPR), 3),
    (Wanted(study_uids=("1.2.4",)), 1),
    (Wanted(series_uids=("1.2.3.1", "1.2.3.2")), 2),
    (Wanted(since=AT - timedelta(days=1)), 1),
    (Wanted(until=AT - timedelta(days=1)), 3),
    (Wanted(accession="nothing"), 0),
    (Wanted(name_parts=("anders", "mar")), 2),
]


def test_narrowing(filled: Services) -> None:
    for wanted, count in NARROWED:
        found = imaging.series(filled.database, who(Role.TECHNICIAN), wanted)
        assert len(found) == count, wanted


def test_a_loose_slide_is_a_study_of_its_own(services: Services, tiny_svs: Path) -> None:
    assert main(["ingest", str(tiny_svs)]) == 0
    paul = who(Role.PATHOLOGIST)
    (only,) = imaging.series(services.database, paul, Wanted())
    assert only.study_uid == f"{only.series_uid}.5"
    assert imaging.study_uids(services.database, paul, Wanted(study_uids=(only.study_uid,)), 9)
    assert imaging.one_series(services.database, paul, only.series_uid) == only
    with pytest.raises(NotFound):
        imaging.one_series(services.database, paul, "1.2.3")


def test_a_slide_that_came_as_dicom_is_listed_once(services: Services, tiny_svs: Path) -> None:
    assert main(["ingest", str(tiny_svs)]) == 0
    slide_id = slides(services.database)[0].slide_id
    make_case(services, slide_id)
    receive(services, radiology("9"))
    dicom_objects.release(services.database, {"1.2.3.9"})
    dicom_objects.mark_taken(services.database, "1.2.3.9", slide_id)
    (only,) = imaging.series(services.database, who(Role.PATHOLOGIST), Wanted())
    assert only.received
    assert only.slide_id == slide_id
    of_case = Wanted(accession=ACCESSION, identifier=CPR)  # its own header names another accession
    assert imaging.series(services.database, who(Role.PATHOLOGIST), of_case) == [only]
    gone = slide_events.ImageWithdrawn(BARCODE, slide_id, "another glass")
    cases.record(services.database, ACCESSION, gone, Said("test", "test", AT))
    for role in (Role.PATHOLOGIST, Role.TECHNICIAN, Role.NODE):
        assert imaging.series(services.database, who(role), Wanted()) == [], role


def test_an_object_is_entered_once_and_never_another_under_its_name(services: Services) -> None:
    series = radiology("1")
    assert receive(services, series) is Entered.NEW
    assert receive(services, series) is Entered.KNOWN
    with pytest.raises(Illegal, match="another object"):
        receive(services, series, sha="b" * 64)
    with pytest.raises(Illegal, match="another series"):
        receive(services, radiology("1", "0303031234"), "1.9.7", "d" * 64)
    assert dicom_objects.known(services.database, ["1.9.1", "1.9.7"]).keys() == {"1.9.1"}
