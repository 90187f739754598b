"""A small sample of `benchmarks.exactness`, so that the full run cannot rot."""

from __future__ import annotations

from pathlib import Path

from benchmarks.exactness import measure_jpeg2000, measure_ndpi
from processing.paint import NdpiLayout, Painting, write_ndpi


def test_cut_tiles_are_exact_and_coded_ones_are_not(tmp_path: Path) -> None:
    path = tmp_path / "a.ndpi"
    pixels = Painting(1024, 1024, seed=7).region(0, 0, 1024, 1024)
    write_ndpi([pixels], path, NdpiLayout(across=2))
    figures = measure_ndpi(path, 1, None)
    assert figures["cut by svartid"]["mean_difference"] == 0
    assert figures["decode, encode JPEG Q90 4:4:4"]["mean_difference"] > 0
    assert figures["missing"] == ["PyTurboJPEG", "opentile"]
    assert figures["source"]["interval"] == [512, 8]


def test_only_codings_without_loss_are_exact(painted_svs: Path) -> None:
    figures = measure_jpeg2000(painted_svs, 1)
    assert figures["zstd 1 (--lossless)"]["most"] == figures["JPEG-LS"]["most"] == 0
    assert figures["zstd 1 (--lossless)"]["psnr_db"] is None
    assert 30 < figures["JPEG Q90 4:4:4"]["psnr_db"] < figures["JPEG Q95 4:4:4"]["psnr_db"]
