"""The whole of `svartid up` on PostgreSQL: a case from entry to answer, tiles, rights, verify."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.databases import fresh_database
from tests.journeys.day import Day
from tests.journeys.running import Running, wait_for

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def day(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    with fresh_database(postgres) as url:
        environment = {"SVARTID_DATABASE_URL": url, "SVARTID_SETTLE_SECONDS": "0.5"}
        with Running(tmp_path_factory.mktemp("postgres"), **environment) as up:
            made = Day(up)
            yield made
            made.close()


def test_a_case_is_answered_on_postgresql(day: Day) -> None:
    day.hire("pia", "pathologist", "--subspecialty", "hud")
    day.hire("tina", "technician")
    made = day.enter("tina", glasses=2, subspecialty="hud")
    accession = made["accession"]
    for slot, barcode in enumerate(made["barcodes"]):
        body = {"barcode": barcode, "rack": "1", "slot": str(slot)}
        day.post("tina", "/api/v1/lab/scan", body)
    day.scan(2)
    case = day.wait_for_state("tina", accession, "ready")
    assert {at["state"] for at in case["slides"]} == {"available"}
    wait_for(lambda: day.case("pia", accession)["assignee"] == "pia", 20, "routed to pia")

    slide_id = case["slides"][0]["slide_id"]
    tile = f"/slides/{slide_id}_files/10/0_0.jpeg"
    assert day.client("pia").get(tile).status_code == 200
    with day.running.client("ops") as ops:
        assert ops.get(tile).status_code == 403
    with day.running.client(None) as nobody:
        assert nobody.get(tile).status_code == 401

    day.post("pia", f"/api/v1/cases/{accession}/open")
    report = {"kind": "final", "text": "Basocellulært karcinom.", "codes": ["T02100", "M80903"]}
    wrong = report | {"password": "not mine"}
    day.post("pia", f"/api/v1/cases/{accession}/sign", wrong, expect=403)
    day.post("pia", f"/api/v1/cases/{accession}/sign", report | {"password": day.passwords["pia"]})
    day.wait_for_state("pia", accession, "distributed")
    sent = [at for at in (day.running.data / "outbox").rglob("*") if at.is_file()]
    assert any("Basocellulært" in at.read_text("utf-8") for at in sent)

    told = day.running.command("case", accession)[0]
    assert told["state"] == "distributed"
    assert day.running.run("verify").returncode == 0
