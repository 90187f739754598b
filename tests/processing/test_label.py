"""Barcodes on labels: turned, small, pressed into JPEG, cut close; and bytes that are no label."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from processing.label import MOST_BYTES, read_barcodes
from processing.paint import Painting
from processing.paint.glass import label

BARCODE = "P26-00123-A1-2"


@pytest.fixture(scope="module")
def paper() -> np.ndarray:
    return label(Painting(600, 400, barcode=BARCODE))[..., ::-1].copy()


def png(pixels: np.ndarray) -> bytes:
    return cv2.imencode(".png", pixels)[1].tobytes()


def jpeg(pixels: np.ndarray, quality: int) -> bytes:
    return cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def code(text: str, kind: zxingcpp.BarcodeFormat) -> np.ndarray:
    made = np.asarray(zxingcpp.write_barcode_to_image(zxingcpp.create_barcode(text, kind)))
    return np.kron(made, np.ones((4, 4), np.uint8))


def turned(pixels: np.ndarray, degrees: float) -> np.ndarray:
    high, wide = pixels.shape[:2]
    turn = cv2.getRotationMatrix2D((wide / 2, high / 2), degrees, 0.65)
    return cv2.warpAffine(pixels, turn, (wide, high), borderValue=(235, 235, 235))


@pytest.mark.parametrize("degrees", [0, 7, 45, 90, 133, 180, 270, 351])
def test_turned(paper: np.ndarray, degrees: float) -> None:
    assert read_barcodes(png(turned(paper, degrees))) == (BARCODE,)


@pytest.mark.parametrize("quality", [90, 50, 20])
@pytest.mark.parametrize("edge", [576, 300, 160])
def test_pressed_and_small(paper: np.ndarray, quality: int, edge: int) -> None:
    small = cv2.resize(paper, (edge, edge), interpolation=cv2.INTER_AREA)
    assert read_barcodes(jpeg(small, quality)) == (BARCODE,)


@pytest.mark.parametrize("kind", ["DataMatrix", "QRCode", "Code128", "PDF417", "Aztec"])
def test_kinds_cut_close(kind: str) -> None:
    image = code(BARCODE, getattr(zxingcpp.BarcodeFormat, kind))
    rows, columns = np.where(image < 128)
    close = image[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert read_barcodes(png(close)) == (BARCODE,)


def test_several_codes_are_all_told_and_each_once(paper: np.ndarray) -> None:
    other = code("LOT-77", zxingcpp.BarcodeFormat.QRCode)
    sheet = np.full((paper.shape[0], 1400), 250, np.uint8)
    sheet[:, : paper.shape[1]] = paper[..., 0]
    for left in (700, 1050):
        sheet[40 : 40 + other.shape[0], left : left + other.shape[1]] = other
    assert set(read_barcodes(png(sheet))) == {BARCODE, "LOT-77"}


def test_a_label_without_a_code_and_what_is_no_barcode() -> None:
    assert read_barcodes(png(np.full((500, 500), 240, np.uint8))) == ()
    noise = np.random.default_rng(1).integers(0, 255, (500, 500), np.uint8)
    assert read_barcodes(png(noise)) == ()
    assert read_barcodes(png(code("x" * 100, zxingcpp.BarcodeFormat.QRCode))) == ()
    assert read_barcodes(png(code("a\x00b", zxingcpp.BarcodeFormat.QRCode))) == ()


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is that large."""
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = b"IDAT" + zlib.compress(b"")
    chunks = (struct.pack(">I", len(at) - 4) + at + struct.pack(">I", zlib.crc32(at))
              for at in (head, body, b"IEND"))  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xd8",
        b"\x89PNG\r\n\x1a\n",
        b"GIF89a" + bytes(50),
        bomb(60_000, 60_000),
        bomb(0, 5),
        bomb(2**31 - 1, 1),
        bytes(MOST_BYTES + 1),
    ],
)
def test_hostile_bytes_are_no_label(data: bytes) -> None:
    assert read_barcodes(data) == ()


@given(st.data())
def test_spoilt_labels_are_read_or_not_and_never_worse(data: st.DataObject) -> None:
    whole = jpeg(code(BARCODE, zxingcpp.BarcodeFormat.DataMatrix), 60)
    at = data.draw(st.integers(2, len(whole) - 1))
    spoilt = (
        whole[:at] + data.draw(st.binary(max_size=8)) + whole[at + data.draw(st.integers(0, 9)) :]
    )
    assert all(isinstance(text, str) for text in read_barcodes(spoilt))
