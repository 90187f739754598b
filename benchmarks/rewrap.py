"""The same tile bytes in another TIFF: in Aperio's layout, in none, or repeated to any size.

Some peers copy tiles only from files that look like a scanner's, others read those more slowly;
`make scale` wants a slide larger than is worth painting.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import cv2
from tifffile import TiffFile, TiffWriter

_APERIO = "Aperio Image Library v12.0.15\r\n"
_PROPERTIES = "JPEG/RGB Q=80|AppMag = 20|MPP = 0.499"
_THUMBNAIL = 512


def rewrap(
    source: Path, target: Path, size: tuple[int, int] | None = None, *, aperio: bool = True
) -> None:
    """Write the levels of `source` as Aperio would, or as a plain pyramid; no tile is decoded.

    Given a `size` (width, height in level-0 pixels), the picture repeats until it is filled;
    seamless only where each level of the source is whole tiles.
    """
    part = target.with_name(target.name + ".part")
    try:
        with TiffFile(source) as tiff, TiffWriter(part, bigtiff=True) as writer:
            pages = [level.keyframe for level in tiff.series[0].levels]
            sizes = [_size_of(page, pages[0], size) for page in pages]
            for number, (page, own) in enumerate(zip(pages, sizes, strict=True)):
                _write(writer, page, own, _described(own, sizes[0]) if aperio else "")
                if number == 0 and aperio:
                    _write_thumbnail(writer, pages[-1], sizes[0])
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _size_of(page: Any, base: Any, asked: tuple[int, int] | None) -> tuple[int, int]:  # noqa: ANN401
    if asked is None:
        return page.shape[1], page.shape[0]
    ratio = round(base.shape[1] / page.shape[1])
    return asked[0] // ratio, asked[1] // ratio


def _described(size: tuple[int, int], full: tuple[int, int]) -> str:
    text = f"{_APERIO}{full[0]}x{full[1]} [0,0 {full[0]}x{full[1]}] (256x256)"
    text += f" -> {size[0]}x{size[1]}" if size != full else ""
    return f"{text} {_PROPERTIES}"


def _write(writer: TiffWriter, page: Any, size: tuple[int, int], text: str) -> None:  # noqa: ANN401
    writer.write(
        _tiles(page, size),
        shape=(size[1], size[0], 3),
        dtype="uint8",
        tile=page.chunks[:2],
        photometric=page.photometric,
        compression=page.compression,
        subsampling=page.subsampling,
        jpegtables=page.jpegtables,
        subfiletype=0 if page.index == 0 or text else 1,
        description=text or None,
        metadata=None,
    )


def _write_thumbnail(writer: TiffWriter, coarsest: Any, full: tuple[int, int]) -> None:  # noqa: ANN401
    """Aperio's second page; readers take whatever stands there for it."""
    pixels = coarsest.asarray()
    ratio = _THUMBNAIL / max(pixels.shape[:2])
    small = cv2.resize(pixels, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    text = f"{_APERIO}{full[0]}x{full[1]} -> {small.shape[1]}x{small.shape[0]} - {_PROPERTIES}"
    options: dict[str, Any] = {"photometric": "rgb", "compression": "jpeg", "rowsperstrip": 16}
    writer.write(small, description=text, metadata=None, **options)


def _tiles(page: Any, size: tuple[int, int]) -> Iterator[bytes]:  # noqa: ANN401
    edge: int = page.chunks[0]
    across, down = -(-page.shape[1] // edge), -(-page.shape[0] // edge)
    file = page.parent.filehandle
    for row, column in product(range(-(-size[1] // edge)), range(-(-size[0] // edge))):
        index = row % down * across + column % across
        file.seek(page.dataoffsets[index])
        yield file.read(page.databytecounts[index])
