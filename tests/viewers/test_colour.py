"""A slide's profile and colour table: who may have them, and what comes of bad ones."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
import tifffile

from processing.paint import Painting, write_svs
from storage import people
from storage.records.people import Principal, Right, Role, allowed
from storage.tables import access_log
from tests.processing import colour_profiles as profiles
from tests.viewers.conftest import NOBODY, Ask, Shop
from tests.viewers.test_words import table

PROFILE = profiles.lut(name="GT450 v2")


@dataclass(frozen=True)
class Glass:
    """Slides by their profiles."""

    good: str
    broken: str
    none: str


@pytest.fixture(scope="module")
def glass(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Glass:
    folder = tmp_path_factory.mktemp("glass")
    ids = {}
    for seed, (name, data) in enumerate((("good", PROFILE), ("broken", PROFILE[:700])), 31):
        path = folder / f"{name}.svs"
        write_svs(Painting(300, 300, seed=seed), path)
        with_profile(path, data)
        ids[name] = shop.ingest(path)
    plain = folder / "none.tif"
    pixels = np.full((300, 300, 3), 200, np.uint8)
    tifffile.imwrite(plain, pixels, tile=(256, 256), photometric="rgb", compression="jpeg")
    return Glass(none=shop.ingest(plain), **ids)


def with_profile(path: Path, data: bytes) -> None:
    with tifffile.TiffFile(path, mode="r+") as file:
        file.pages[0].tags[34675].overwrite(data)


def addresses(slide_id: str) -> list[str]:
    return [
        f"/slides/{slide_id}/profile.icc",
        f"/api/v1/slides/{slide_id}/colour",
        f"/api/v1/slides/{slide_id}/colour-table",
    ]


def test_the_profile_is_given_as_it_came(ask: Ask, shop: Shop, glass: Glass) -> None:
    for slide_id, data in ((glass.good, PROFILE), (glass.broken, PROFILE[:700])):
        answer = ask("pathologist").get(f"/slides/{slide_id}/profile.icc")
        assert answer.content == data
        assert answer.headers["content-type"] == "application/vnd.iccprofile"
        assert answer.headers["cache-control"].startswith("private")


def test_what_it_does_and_the_table(ask: Ask, glass: Glass) -> None:
    client = ask("pathologist")
    about = client.get(f"/api/v1/slides/{glass.good}/colour").json()
    assert about["usable"]
    assert about["name"] == "GT450 v2"
    assert not about["srgb"]
    assert about["error"] < 0.75
    assert 5 < about["change"] < about["most_change"]
    answer = client.get(f"/api/v1/slides/{glass.good}/colour-table")
    assert struct.unpack_from("<4sHH", answer.content) == (b"SVCT", 1, about["nodes"])
    assert len(answer.content) == 16 + 9 * 256 + 6 * about["nodes"] ** 3
    again = client.get(f"/api/v1/slides/{glass.good}/colour-table")
    assert again.content == answer.content


def test_srgb_is_said(ask: Ask, shop: Shop) -> None:
    about = ask("pathologist").get(f"/api/v1/slides/{shop.svs}/colour").json()
    assert (about["usable"], about["srgb"], about["change"]) == (True, True, 0)


def test_a_broken_profile_leaves_the_slide_readable(ask: Ask, glass: Glass) -> None:
    client = ask("pathologist")
    for _ in range(2):  # the second time from memory
        about = client.get(f"/api/v1/slides/{glass.broken}/colour")
        assert about.json() == {"usable": False, "reason": "damaged"}
        answer = client.get(f"/api/v1/slides/{glass.broken}/colour-table")
        assert (answer.status_code, answer.json()) == (409, {"error": "profile_unusable"})
    assert client.get(f"/slides/{glass.broken}_files/9/0_0.jpeg").status_code == 200


def test_no_profile_and_no_slide_are_not_found(ask: Ask, glass: Glass) -> None:
    for slide_id in (glass.none, "f" * 20, "..%2f.."):
        for address in addresses(slide_id):
            assert ask("pathologist").get(address).status_code == 404, address


@pytest.mark.parametrize("role", [NOBODY, *Role])
def test_who_may(role: str, ask: Ask, glass: Glass) -> None:
    nobody = role in (NOBODY, Role.NODE)  # another node is nobody outside DICOMweb
    may = not nobody and allowed(Principal("x", Role(role), "x"), Right.READ_SLIDES)
    expected = 200 if may else 401 if nobody else 403
    for address in addresses(glass.good):
        answer = ask(role).get(address)
        assert answer.status_code == expected, address
        assert may or answer.json() == {"error": "no_access"}


def test_every_access_leaves_its_line(ask: Ask, shop: Shop, glass: Glass) -> None:
    database = shop.services.database
    secret = people.open_session(database, Role.PATHOLOGIST.value, Role.PATHOLOGIST)
    principal = people.principal_of(database, secret)
    assert principal is not None
    for address in addresses(glass.good):
        ask(None).get(address, headers={"Authorization": f"Bearer {secret}"})
    query = sa.select(access_log.c.action, access_log.c.slide_id)
    with database.reading() as connection:
        lines = connection.execute(query.where(access_log.c.session == principal.session))
        found = sorted(map(tuple, lines))
    assert found == [(what, glass.good) for what in ("metadata", "profile", "view")]


def test_every_reason_has_words() -> None:
    assert {"too_large", "damaged", "not_rgb", "inexact"} <= table("PROFILE_REASONS")
