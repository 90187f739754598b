"""Quality over HTTP: who sees the report and its maps, who may judge, what the lists show."""

from __future__ import annotations

import itertools
from typing import Any

import cv2
import numpy as np
import pytest

from storage import cases
from storage.records import slide_events
from storage.records.case_words import Checked, RescanReason, SlideState
from storage.records.quality import Basis, ModelMode, Spot
from tests.storage.lab import image
from tests.viewers.department import Department
from tests.viewers.quality_reports import BLURRED, GOOD, MISSING, enter, finding
from viewers.quality_picture import _BOUNDS

_NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def department(tmp_path_factory: pytest.TempPathFactory) -> Department:
    return Department.found(tmp_path_factory.mktemp("department"))


class Glass:
    """A glass of a case that pia reads, with an image and what the checks found on it."""

    def __init__(self, department: Department) -> None:
        self.department = department
        self.accession = department.case(assignee="pia", slides=1, readable=0)
        self.barcode = f"{self.accession}-A1-1"
        self.slide = self.scanned()

    def scanned(self) -> str:
        """A new image of the glass."""
        slide_id = image(self.department.database, f"quality-{next(_NAMES)}").slide_id
        stored = slide_events.ImageStored(self.barcode, slide_id)
        shown = slide_events.ImageAvailable(self.barcode, slide_id)
        self.department.say(self.accession, stored, shown)
        return slide_id

    def checked(self, findings: Any = MISSING) -> str:  # noqa: ANN401
        settings = self.department.settings
        run = enter(self.department.database, settings.layout, self.slide, findings)
        return run.report.run_id

    def told(self, name: str = "pia") -> dict[str, Any]:
        answer = self.department.client(name).get(f"/api/v1/slides/{self.slide}/quality")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def judge(self, run: str, name: str = "tina", **said: str) -> int:
        address = f"/api/v1/slides/{self.slide}/quality/{run}/verdict"
        body = {"state": "released", "note": "kun randen"} | said
        return self.department.client(name).post(address, json=body).status_code

    def asked(self, name: str = "tina") -> list[dict[str, Any]]:
        answer = self.department.client(name).get("/api/v1/lab/quality")
        assert answer.status_code == 200, answer.text
        return [at for at in answer.json()["asked"] if at["barcode"] == self.barcode]


@pytest.fixture
def glass(department: Department) -> Glass:
    return Glass(department)


def test_before_there_is_a_run_it_says_so(glass: Glass) -> None:
    told = glass.told()
    assert (told["state"], told["run"], told["runs"]) == ("not_yet", None, [])
    assert told["tray"] == {glass.slide: "not_yet"}


def test_the_newest_run_is_told_with_all_it_found(glass: Glass) -> None:
    old, run = glass.checked(GOOD), glass.checked()
    told = glass.told()
    assert told["state"] == told["run"]["verdict"]["state"] == "rescan"
    assert [at["run_id"] for at in told["runs"]] == [run, old]
    missing = told["run"]["findings"][1]
    assert missing["figures"]["missing_mm2"] == 0.0328
    assert missing["reason"] == "missing_mm2>0"
    assert [step["word"] for step in missing["map"]["legend"]] == ["missing", "damaged"]
    region = [0.256, 0.1707, 0.128, 0.0853]
    expected = {"check": "tiles.missing", "reason": "missing_tissue", "region": region}
    assert told["suggestion"] == expected
    client = glass.department.client("pia")
    assert (
        client.get(f"/api/v1/slides/{glass.slide}/quality?run={old}").json()["run"]["verdict"][
            "state"
        ]
        == "pass"
    )
    assert client.get(f"/api/v1/slides/{glass.slide}/quality?run=x").status_code == 404


def test_a_map_is_a_picture_whose_colours_are_the_legends(glass: Glass) -> None:
    glass.checked(BLURRED)
    drawn = glass.told()["run"]["findings"][2]["map"]
    answer = glass.department.client("pia").get(drawn["address"])
    assert answer.headers["content-type"] == "image/png"
    assert "immutable" in answer.headers["cache-control"]
    pixels = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_UNCHANGED)
    assert pixels.shape == (drawn["rows"], drawn["columns"], 4) == (12, 16, 4)
    assert not pixels[0].any(), "nothing was measured there"
    assert not pixels[1:, :8].any(), "0.4 µm is sharp"
    (step,) = [at for at in drawn["legend"] if at["low"] <= 3.2 < (at["high"] or 99)]
    assert pixels[5, 12, 2::-1].tolist() == step["colour"]
    assert tuple(at["low"] for at in drawn["legend"]) == _BOUNDS["focus.radius"]


@pytest.mark.parametrize("name", ["stranger", "strange_lab", "karl", "ops", "guest"])
def test_who_may_not_see_the_slide_sees_nothing_of_it(glass: Glass, name: str) -> None:
    run = glass.checked(BLURRED)
    base = f"/api/v1/slides/{glass.slide}/quality"
    client = glass.department.client(name)
    for address in (base, f"{base}/{run}/maps/focus.radius.png"):
        assert client.get(address).status_code == 403
    assert glass.judge(run, name) == 403


def test_every_look_leaves_a_line(glass: Glass) -> None:
    run = glass.checked(BLURRED)
    client = glass.department.client("poul")
    client.get(f"/api/v1/slides/{glass.slide}/quality/{run}/maps/focus.radius.png")
    lines = glass.department.lines("poul", glass.accession)
    assert [at[0] for at in lines] == ["quality"]


@pytest.mark.parametrize("mode", [ModelMode.SILENT, ModelMode.TEST])
def test_what_a_model_says_in_silence_reaches_nobody(glass: Glass, mode: ModelMode) -> None:
    figures = {"bad_area_pct": 90.0}
    silent = finding("focus.radius", figures, (Spot((0, 0, 9, 9)),), mode, Basis.MODEL)
    run = glass.checked((*GOOD, silent))
    told = glass.told()
    assert told["state"] == "pass"
    assert [at["check"] for at in told["run"]["findings"]] == ["tissue.area", "tiles.missing"]
    address = f"/api/v1/slides/{glass.slide}/quality/{run}/maps/focus.radius.png"
    assert glass.department.client("pia").get(address).status_code == 404


def test_the_list_asks_until_somebody_has_decided(glass: Glass) -> None:
    run = glass.checked(BLURRED)
    (line,) = glass.asked()
    assert (line["state"], line["suggestion"]["reason"]) == ("review", "out_of_focus")
    assert line["suggestion"]["region"] == [0.128, 0.0853, 0.256, 0.3413]
    assert [at["check"] for at in line["reasons"]] == ["focus.radius"]
    assert line["patient"]["name"] == "Anna Andersen"
    assert glass.asked("strange_lab") == []
    assert glass.department.client("pia").get("/api/v1/lab/quality").status_code == 403
    assert (glass.judge(run, note=""), glass.judge(run, state="maybe")) == (422, 422)
    assert glass.judge(run) == 200
    assert glass.asked() == []
    told = glass.told()
    assert (told["state"], told["run"]["human"]["note"]) == ("released", "kun randen")
    case = cases.get(glass.department.database, glass.accession)
    (scan,) = case.slides[glass.barcode].scans
    assert (scan.checked, case.slides[glass.barcode].is_readable) == (Checked.RELEASED, True)


def test_a_pathologist_judges_what_they_read(glass: Glass) -> None:
    run = glass.checked()
    assert glass.told()["may"] == {"judge": True}
    assert glass.judge(run, "pia", state="rejected") == 200
    assert glass.told()["state"] == "rejected"


def test_a_glass_that_is_scanned_again_is_asked_about_anew(glass: Glass) -> None:
    glass.checked()
    reason = RescanReason.MISSING_TISSUE
    glass.department.say(glass.accession, slide_events.RescanRequested(glass.barcode, reason))
    assert glass.asked() == []
    old, glass.slide = glass.slide, glass.scanned()
    assert glass.asked() == []
    glass.checked(BLURRED)
    assert [at["slide_id"] for at in glass.asked()] == [glass.slide]
    assert glass.told()["tray"] == {old: "rescan", glass.slide: "review"}
    glass.checked(GOOD)
    assert glass.asked() == []
    slide = cases.get(glass.department.database, glass.accession).slides[glass.barcode]
    assert slide.state is SlideState.AVAILABLE
