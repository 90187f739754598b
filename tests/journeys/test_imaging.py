"""Radiology in Chromium: what is on the screen is what pydicom makes of the file."""

from __future__ import annotations

import numpy as np
import pytest
from pydicom.overlays.numpy_handler import get_overlay_array

from tests.journeys import imaging_judge as judge
from tests.journeys.imaging_files import BY_DCMTK, read
from tests.journeys.imaging_screen import Imaging

pytestmark = [pytest.mark.slides, pytest.mark.timeout(240)]
SAME_MR = ("mr", "mr_rle", "mr_j2k", "mr_jls", *BY_DCMTK)
EXACT = ("ct", "heart", "dx", "overlay", "dose")
LOSSY = {"ct_j2k": 2, "nm_j2k": 2}
"""How far two decoders of lossy JPEG 2000 may be from each other."""
COLOURS = {
    "us_rgb": 0,
    "us_big_endian": 0,
    "us_j2k": 0,
    "us_palette": 0,
    "sc_jpeg": 3,
    "us_cine": 4,
}
"""How far the screen may be from pydicom; decoders of JPEG differ in a few steps."""


def test_every_transfer_syntax_gives_the_stored_values(imaging: Imaging) -> None:
    wanted = judge.stored(imaging.made["mr"].read()).ravel()
    for name in SAME_MR:
        imaging.open(name)
        assert np.array_equal(imaging.stored(), wanted), name
    for name in EXACT:
        imaging.open(name)
        assert np.array_equal(imaging.stored(), judge.stored(imaging.made[name].read()).ravel())
    for name, most in LOSSY.items():
        imaging.open(name)
        theirs = judge.stored(imaging.made[name].read()).ravel().astype(int)
        assert np.abs(imaging.stored().astype(int) - theirs).max() <= most, name


def test_windows_on_the_screen_are_pydicoms(imaging: Imaging) -> None:
    imaging.open("ct")
    for key, window in (("1", (40, 400)), ("2", (-600, 1500)), ("3", (500, 2000)), ("4", (40, 80))):
        imaging.press(key)
        wanted = judge.greys(imaging.made["ct"].read(), window)
        assert_grey(imaging, wanted)
        assert imaging.page.input_value("#level") == str(window[0])
    imaging.press("i")
    assert_grey(imaging, 255 - wanted)
    imaging.press("e")
    assert_grey(imaging, judge.greys(imaging.made["ct"].read(), (40, 400)))
    for name, keys in (("mr", "1"), ("dx", "1"), ("overlay", "12")):
        imaging.open(name)
        if name == "overlay":
            imaging.press("o")
        for key in keys:
            imaging.press(key)
            dataset = imaging.made[name].read()
            chosen = int(key) - 1
            own = both(dataset)[chosen] if name == "overlay" else None
            assert_grey(imaging, judge.greys(dataset, own))


def test_colours_are_pydicoms(imaging: Imaging) -> None:
    for name, most in COLOURS.items():
        imaging.open(name)
        wanted = judge.colours(imaging.made[name].read())
        found = imaging.seen(*wanted.shape[:2]).astype(int)
        inner = (slice(30, -30), slice(30, -30))
        off = np.abs(found - wanted)[inner]
        assert off.max() <= most, f"{name}: {off.max()}"
        assert imaging.page.is_hidden("#window")


def test_overlays_of_the_file_lie_where_it_says(imaging: Imaging) -> None:
    imaging.open("overlay")
    dataset = imaging.made["overlay"].read()
    wanted = get_overlay_array(dataset, 0x6000) > 0
    assert wanted.any()
    assert np.array_equal(imaging.marks(*wanted.shape), wanted)
    imaging.press("o")
    assert not imaging.marks(*wanted.shape).any()


def test_a_stack_is_gone_through_in_every_way(imaging: Imaging) -> None:
    imaging.open("stack")
    assert place(imaging) == 3
    for key, number in (
        ("ArrowDown", 4), ("ArrowUp", 3), ("End", 5), ("PageUp", 1), ("ArrowRight", 2),
        ("PageDown", 5), ("Home", 1), ("ArrowUp", 1),
    ):  # fmt: skip
        imaging.press(key)
        assert place(imaging) == number, key
        wanted = judge.stored(read(imaging.made["stack"].paths[number - 1]))
        assert np.array_equal(imaging.stored(), wanted.ravel()), key
    imaging.page.mouse.move(*imaging.point(64, 64))
    imaging.page.mouse.wheel(0, 120)
    imaging.page.wait_for_timeout(200)
    assert place(imaging) == 3
    imaging.page.fill("#slice", "5")
    imaging.page.wait_for_timeout(200)
    assert place(imaging) == 5
    assert imaging.words("#slice-words") == "Billede 5 af 5"


def test_cine_runs_at_the_files_own_rate(imaging: Imaging) -> None:
    imaging.open("us_cine")
    assert imaging.words("#rate") == "30 billeder/s"
    loaded = "() => window.svartid.imaging.player.loader.ready === 30"
    imaging.page.wait_for_function(loaded)
    imaging.press("Space")
    imaging.page.evaluate("""() => {
      window.counted = 0;
      window.svartid.imaging.player.addEventListener("shown", () => (window.counted += 1));
    }""")
    imaging.page.wait_for_timeout(2_000)
    imaging.press("Space")
    shown = imaging.page.evaluate("() => window.counted")
    assert 25 <= shown <= 65, f"{shown} pictures in two seconds"
    still = place(imaging)
    imaging.page.wait_for_timeout(300)
    assert place(imaging) == still
    imaging.open("heart")
    assert imaging.words("#rate") == "14,4 billeder/s"
    imaging.press(">", ">")
    assert imaging.words("#rate") == "16,4 billeder/s"


def test_lengths_are_those_of_the_pixel_spacing(imaging: Imaging) -> None:
    for name, start, end in (
        ("ct", (20, 30), (100, 95)), ("mr", (10, 50), (50, 12)), ("overlay", (40, 200), (400, 100)),
    ):  # fmt: skip
        imaging.open(name)
        found = imaging.measure(start, end)
        wanted = judge.millimetres(imaging.made[name].read(), end[0] - start[0], end[1] - start[1])
        assert found == pytest.approx(wanted, abs=1.5 * wanted / 100), name
        assert imaging.length()[1] == "mm"
        exact = exact_length(imaging)
        dataset = imaging.made[name].read()
        assert found == pytest.approx(judge.millimetres(dataset, *exact), abs=0.051)
        imaging.press("Delete", "Escape")
    imaging.open("heart")
    imaging.measure((50, 50), (90, 80))
    assert_length(imaging, 50, "px", within=1)
    assert "pixelstørrelse ukendt" in imaging.words("#readout")
    imaging.press("Escape")
    imaging.open("dx")
    imaging.measure((20, 20), (120, 20))
    assert imaging.length()[1] == "mm *"
    assert "mm ved detektoren" in imaging.words("#readout")


def test_ultrasound_measures_by_its_own_region(imaging: Imaging) -> None:
    imaging.open("us_palette")
    (region, *_) = imaging.made["us_palette"].read().SequenceOfUltrasoundRegions
    start, end = (400, 180), (500, 260)
    imaging.measure(start, end)
    across, down = exact_length(imaging)
    wanted = np.hypot(
        across * abs(region.PhysicalDeltaX) * 10, down * abs(region.PhysicalDeltaY) * 10
    )
    assert_length(imaging, wanted, "mm")


def test_a_length_is_measured_without_the_mouse(imaging: Imaging) -> None:
    imaging.open("ct")
    imaging.press("m", "Shift+ArrowLeft", "Enter", "Shift+ArrowRight", "Shift+ArrowRight", "Enter")
    wanted = judge.millimetres(imaging.made["ct"].read(), 20, 0)
    assert_length(imaging, wanted, "mm")


def test_values_under_the_pointer_are_in_units(imaging: Imaging) -> None:
    imaging.open("ct")
    values = judge.units(imaging.made["ct"].read())
    for x, y in ((10, 100), (64, 64), (90, 20)):
        imaging.page.mouse.move(*imaging.point(x + 0.5, y + 0.5))
        imaging.page.wait_for_timeout(50)
        wanted = f"x {x} y {y} {int(values[y, x])} HU".replace("-", "−")
        assert imaging.words(".position").replace("-", "−").replace(".", "") == wanted
    imaging.open("dose")
    dose = imaging.made["dose"].read()
    relative = float(dose.DoseGridScaling) * int(judge.stored(dose)[4, 5])
    imaging.page.mouse.move(*imaging.point(5.5, 4.5))
    imaging.page.wait_for_timeout(50)
    assert imaging.words(".position") == f"x 5 y 4 {relative:.3f}".replace(".", ",")


def test_sides_of_the_patient_follow_the_picture(imaging: Imaging) -> None:
    imaging.open("ct")
    assert imaging.sides() == "A L P R"
    for key, sides in (("f", "A R P L"), ("r", "L A R P"), ("R", "A R P L"), ("F", "P R A L")):
        imaging.press(key)
        assert imaging.sides() == sides, key
    imaging.press("e")
    assert imaging.sides() == "A L P R"
    imaging.open("us_rgb")
    assert imaging.sides() == "- - - -"


def test_a_drag_changes_the_window_and_fit_brings_everything_back(imaging: Imaging) -> None:
    imaging.open("ct")
    x, y = imaging.point(64, 64)
    imaging.page.mouse.move(x, y)
    imaging.page.mouse.down()
    imaging.page.mouse.move(x + 60, y - 30, steps=6)
    imaging.page.mouse.up()
    imaging.settle()
    level, width = (float(imaging.page.input_value(at)) for at in ("#level", "#width"))
    assert level < 40
    assert width > 400
    assert_grey(imaging, judge.greys(imaging.made["ct"].read(), (level, width)))
    assert imaging.page.input_value("#tone") == ""
    imaging.page.fill("#level", "100")
    imaging.page.fill("#width", "250")
    imaging.page.keyboard.press("Enter")
    imaging.page.evaluate("() => document.activeElement.blur()")
    assert_grey(imaging, judge.greys(imaging.made["ct"].read(), (100, 250)))
    imaging.press("+", "+", "Shift+ArrowLeft")
    moved = imaging.place()
    imaging.press("0")
    assert imaging.place() != moved
    a, _, _, d, _, f = imaging.place()
    assert f >= 0
    assert a == d


def both(dataset: object) -> list[tuple[float, float]]:
    """The windows of a file that has several."""
    centers, widths = dataset.WindowCenter, dataset.WindowWidth  # type: ignore[attr-defined]
    return [(float(at), float(wide)) for at, wide in zip(centers, widths, strict=True)]


def assert_grey(imaging: Imaging, wanted: judge.Array) -> None:
    """The screen shows these greys, but where letters stand over the picture's edges."""
    found = imaging.seen(*wanted.shape)
    assert (found[..., 0] == found[..., 1]).all()
    off = np.abs(found[..., 0].astype(int) - wanted.astype(int))
    assert off.max() <= 1, f"{off.max()} at {np.unravel_index(off.argmax(), off.shape)}"
    assert (off > 0).mean() < 0.01


def assert_length(imaging: Imaging, wanted: float, unit: str, within: float = 0.051) -> None:
    """The newest length says this; mm are written with one decimal, or two below ten."""
    figure, words = imaging.length()
    assert figure == pytest.approx(wanted, abs=within)
    assert words == unit


def place(imaging: Imaging) -> int:
    """The number of the picture that is shown."""
    return int(imaging.page.evaluate("() => window.svartid.imaging.player.index + 1"))


def exact_length(imaging: Imaging) -> tuple[float, float]:
    """The newest length in pixels of the image, as the mouse could draw it."""
    script = """() => {
      const { lengths, stage } = window.svartid.imaging;
      const { from, to } = lengths.on(stage.frame).at(-1);
      return [to.x - from.x, to.y - from.y];
    }"""
    across, down = imaging.page.evaluate(script)
    return across, down
