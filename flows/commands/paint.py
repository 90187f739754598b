"""`svartid paint`: make a slide out of nothing, to try the system with."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from processing.paint import Painting, write_dicom, write_svs

SUMMARY = "Paint a tissue-like slide of any size, as Aperio SVS or DICOM."

_EXAMPLES = """\
examples:
  svartid paint demo.svs
  svartid paint big.svs --width 120000 --height 80000 --seed 7
  svartid paint series/ --format dicom --barcode SVT-0002-B1-1 --accession SVT-0002

The same options give the same bytes. The format follows from the name: .svs, or a folder.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say which options `paint` takes."""
    parser.description = SUMMARY
    parser.epilog = _EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("out", metavar="OUT", type=Path, help="file (.svs) or folder (DICOM)")
    parser.add_argument("--width", type=int, default=20000, help="pixels (default 20000)")
    parser.add_argument("--height", type=int, default=15000, help="pixels (default 15000)")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another slide")
    parser.add_argument("--mpp", type=float, default=0.499, help="micrometres per pixel")
    parser.add_argument("--format", choices=("svs", "dicom"), help="default: by the name OUT")
    parser.add_argument("--quality", type=int, default=80, help="of the JPEG, 1 to 100")
    parser.add_argument(
        "--photometric",
        choices=("ycbcr", "rgb"),
        default="ycbcr",
        help="colours inside an SVS's JPEG (default ycbcr)",
    )
    parser.add_argument("--barcode", default=Painting.barcode, help="on the label, and in the file")
    parser.add_argument("--accession", default=Painting.accession, help="the case's number")
    parser.add_argument("--stain", default=Painting.stain, help="printed on the label")


def run(args: argparse.Namespace) -> int:
    """Paint; 0 when done, 1 when it failed, 2 when asked for what cannot be."""
    try:
        painting = _painting(args)
        as_dicom = _as_dicom(args)
    except ValueError as error:
        print(f"svartid paint: {error}", file=sys.stderr)
        return 2
    progress = _show if sys.stderr.isatty() else None
    try:
        if as_dicom:
            write_dicom(painting, args.out, quality=args.quality, progress=progress)
        else:
            write_svs(
                painting,
                args.out,
                quality=args.quality,
                photometric=args.photometric,
                progress=progress,
            )
    except OSError as error:
        print(f"svartid paint: {error.strerror or error}: {args.out}", file=sys.stderr)
        return 1
    print(args.out)
    return 0


def _painting(args: argparse.Namespace) -> Painting:
    if not 1 <= args.quality <= 100:
        raise ValueError("--quality is 1 to 100.")
    return Painting(
        args.width, args.height, args.seed, args.mpp, args.barcode, args.accession, args.stain
    )


def _as_dicom(args: argparse.Namespace) -> bool:
    """Whether a folder is to be written; refuse what would surprise."""
    as_dicom = args.format == "dicom" or (args.format is None and args.out.suffix != ".svs")
    if as_dicom and args.photometric == "rgb":
        raise ValueError("--photometric rgb is for SVS only.")
    if as_dicom and args.out.exists() and not args.out.is_dir():
        raise ValueError(f"{args.out} is a file; DICOM needs a folder.")
    if not as_dicom and args.out.is_dir():
        raise ValueError(f"{args.out} is a folder; SVS needs a file name.")
    return as_dicom


def _show(done: int, total: int) -> None:
    """One line on the terminal, rewritten as it goes."""
    end = "\n" if done == total else ""
    print(
        f"\rpainting {100 * done // total:3d} %  {done}/{total} tiles",
        end=end,
        file=sys.stderr,
        flush=True,
    )
