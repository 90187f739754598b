"""Print the DICOM Conformance Statement, or the IHE Integration Statement, of this version.

Both are made from what the code supports; docs/dicom-conformance.md and docs/ihe-integration.md
are their output.

examples:
  svartid conformance > docs/dicom-conformance.md
  svartid conformance --ihe > docs/ihe-integration.md
"""

from __future__ import annotations

import argparse

from flows.conformance import integration, statement

SUMMARY = "print the DICOM Conformance Statement"


def configure(parser: argparse.ArgumentParser) -> None:
    """Arguments."""
    parser.add_argument("--ihe", action="store_true", help="the IHE Integration Statement instead")


def run(args: argparse.Namespace) -> int:
    """Print."""
    print(integration() if args.ihe else statement(), end="")
    return 0
