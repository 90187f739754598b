"""What is counted, not guessed: tissue, tiles, quality of JPEGs."""

from __future__ import annotations

import pytest

from processing.quality.assess import assess
from processing.quality.blank import Blank
from processing.quality.checks import checks
from processing.quality.jpeg_quality import JpegQuality
from processing.quality.missing_tiles import MissingTiles
from processing.quality.verdict import DEFAULT
from storage.records.quality import QualityState
from tests.contracts.check_contract import CheckContract
from tests.processing.quality.slides import blank, slide_view, tissue


class TestBlank(CheckContract):
    check = Blank

    def test_the_area_is_that_of_the_tissue(self) -> None:
        found = self.found(tissue(2000, 3000))
        expected = 3.14159 * 0.42 * 2.000 * 0.5 * 0.42 * 3.000 * 0.5
        assert found.figures["tissue_mm2"] == pytest.approx(expected, rel=0.03)

    def test_glass_alone_is_to_be_scanned_again(self) -> None:
        found = self.found(blank(1500, 1500))
        assert found.state is QualityState.RESCAN
        assert found.figures["tissue_mm2"] == 0


class TestMissingTiles(CheckContract):
    check = MissingTiles

    def test_a_tile_that_is_not_there_is_found_at_its_place(self) -> None:
        view = slide_view(tissue(2000, 3000), missing=frozenset({(5, 3), (0, 0)}))
        found = assess(view, [MissingTiles()], DEFAULT).findings[0]
        assert found.state is QualityState.RESCAN
        assert [spot.box for spot in found.spots] == [(5 * 256, 3 * 256, 256, 256)]

    def test_glass_that_was_left_out_is_not_missed(self) -> None:
        view = slide_view(tissue(2000, 3000), missing=frozenset({(0, 0), (11, 7)}))
        assert assess(view, [MissingTiles()], DEFAULT).findings[0].state is QualityState.PASS

    @pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 150, 180)])
    def test_a_tile_of_one_colour_is_missed_where_tissue_ends_around_it(
        self, colour: tuple[int, int, int]
    ) -> None:
        pixels = tissue(1500, 2000)
        pixels[512:768, 768:1024] = colour
        found = assess(slide_view(pixels), [MissingTiles()], DEFAULT).findings[0]
        assert found.figures["constant"] == 1
        assert [spot.box for spot in found.spots] == [(768, 512, 256, 256)]

    def test_a_tile_that_is_white_on_every_level_is_missed(self) -> None:
        pixels = tissue(1500, 2000)
        pixels[512:768, 768:1024] = 255
        view = slide_view(pixels, missing=frozenset({(3, 2)}))
        assert assess(view, [MissingTiles()], DEFAULT).findings[0].figures["missing"] == 1

    def test_a_block_filled_in_inside_a_tile_is_seen(self) -> None:
        pixels = tissue(1500, 2000)
        pixels[560:660, 800:900] = (200, 150, 180)
        found = assess(slide_view(pixels), [MissingTiles()], DEFAULT).findings[0]
        assert found.figures["constant"] == 1

    def test_glass_of_one_colour_beside_tissue_is_as_it_should_be(self) -> None:
        pixels = tissue(1500, 2000)
        pixels[:256, :256] = 255
        found = assess(slide_view(pixels), [MissingTiles()], DEFAULT).findings[0]
        assert found.state is QualityState.PASS


class TestJpegQuality(CheckContract):
    check = JpegQuality

    @pytest.mark.parametrize(("quality", "state"), [(90, "pass"), (40, "review"), (12, "rescan")])
    def test_it_is_read_from_the_tables(self, quality: int, state: str) -> None:
        view = slide_view(tissue(600, 600), quality=quality)
        found = assess(view, [JpegQuality()], DEFAULT).findings[0]
        assert found.figures["quality"] == quality
        assert found.state == state


def test_a_tile_that_cannot_be_decoded_is_counted_and_the_rest_goes_on() -> None:
    view = slide_view(tissue(2000, 3000))
    whole, read = assess(view, checks(), DEFAULT), view.read_tile
    spoilt = slide_view(tissue(2000, 3000))
    broken = {(0, 5, 3), (1, 2, 1), (4, 0, 0)}
    spoilt.read_tile = lambda *place: b"no picture" if place in broken else read(*place)
    found = assess(spoilt, checks(), DEFAULT)
    states = {at.check: at.state for at in found.findings}
    figures = {at.check: at.figures for at in found.findings}
    assert figures["tiles.missing"]["damaged"] == 1
    assert figures["tissue.area"] == pytest.approx(
        next(at.figures for at in whole.findings if at.check == "tissue.area"), rel=0.05
    )
    assert QualityState.ERROR not in states.values()
    assert found.verdict.state is QualityState.RESCAN
    before = {at.check for at in whole.findings if at.state is QualityState.NOT_EVALUATED}
    after = {check for check, state in states.items() if state is QualityState.NOT_EVALUATED}
    assert after == before
