"""The `svartid` command. The table names modules as text: `--help` loads none of them."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from importlib.metadata import version
from pathlib import Path

COMMANDS = {
    "up": ("flows.commands.up", "start everything and print the address"),
    "ingest": ("flows.commands.ingest", "read slides in and wait until they can be seen"),
    "slides": ("flows.commands.slides", "list the slides that can be read"),
    "region": ("flows.commands.region", "write a part of a slide as PNG"),
    "export": ("flows.commands.export", "give back the original, or the pyramid as OME-Zarr"),
    "send": ("flows.commands.send", "send a slide, study or series to another DICOM node"),
    "forward": ("flows.commands.forward", "what goes to other nodes by itself, and how far it is"),
    "annotations": (
        "flows.commands.annotations",
        "annotations of a slide: as a file, or out of one",
    ),
    "verify": ("flows.commands.verify", "check every stored byte, and name what has changed"),
    "quality": ("flows.commands.quality", "print the report of a slide's quality"),
    "models": (
        "flows.commands.models",
        "models of others: take in, test, run, let rise and fall",
    ),
    "cohort": ("flows.commands.cohort", "research sets of slides without names"),
    "checks": (
        "flows.commands.checks",
        "what is asked of slides: thresholds, checks switched off, checks validated here",
    ),
    "drift": ("flows.commands.drift", "whether scanners and models still measure as they did"),
    "receipt": ("flows.commands.receipt", "say where a tile comes from, and prove it"),
    "cold": ("flows.commands.cold", "keep slides in less space, or thaw them"),
    "case": ("flows.commands.case", "tell how a case stands: events, clocks, steps, forecast"),
    "turnaround": (
        "flows.commands.turnaround",
        "are answers in time, and where do they wait; publish a month",
    ),
    "policy": ("flows.commands.policy", "show or change what the laboratory promises"),
    "token": ("flows.commands.token", "make access tokens for programs"),
    "user": ("flows.commands.user", "add people, give new passwords"),
    "peer": ("flows.commands.peer", "other DICOM nodes: who may call, and where they are"),
    "scanner": ("flows.commands.scanner", "simulate a scanner: take scans, hand slides in"),
    "paint": ("flows.commands.paint", "paint a slide for demonstration and tests"),
    "front": (
        "flows.commands.front",
        "print the configuration of nginx in front, for TLS and many readers",
    ),
    "conformance": ("flows.commands.conformance", "print the DICOM Conformance Statement"),
    "doctor": ("flows.commands.doctor", "check this machine and this installation"),
}
_USAGE = 2


def main(argv: list[str] | None = None) -> int:
    """Run one sub-command; returns its exit code (0 done, 1 not, 2 wrong usage)."""
    words = list(sys.argv[1:] if argv is None else argv)
    data, words = _leading_data(words)
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_overview())  # noqa: T201
        return 0 if words else _USAGE
    if words[0] == "--version":
        print(f"svartid {version('svartid')}")  # noqa: T201
        return 0
    if words[0] not in COMMANDS:
        print(f"svartid: there is no command {words[0]!r}; see svartid --help", file=sys.stderr)  # noqa: T201
        return _USAGE
    return _run(words[0], words[1:], data)


def _run(name: str, words: list[str], data: str | None) -> int:
    module = importlib.import_module(COMMANDS[name][0])
    parser = argparse.ArgumentParser(
        prog=f"svartid {name}",
        description=module.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.configure(parser)
    parser.add_argument(
        "--data",
        type=Path,
        default=data and Path(data),
        metavar="DIR",
        help="the data folder (default: SVARTID_DATA, else ./data)",
    )
    try:
        code: int = module.run(parser.parse_args(words))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        return _explain(name, error)
    return code


def _explain(name: str, error: Exception) -> int:
    """An error as one line; the full trace only for those who ask by SVARTID_DEBUG=1."""
    if os.environ.get("SVARTID_DEBUG") == "1":
        raise error
    told = str(error) if hasattr(error, "code") or isinstance(error, OSError) else ""
    text = told or f"{type(error).__name__} (SVARTID_DEBUG=1 shows where)"
    print(f"svartid {name}: {text}", file=sys.stderr)  # noqa: T201
    return 1


def _leading_data(words: list[str]) -> tuple[str | None, list[str]]:
    """`svartid --data DIR COMMAND` means the same as `svartid COMMAND --data DIR`."""
    if len(words) > 1 and words[0] == "--data":
        return words[1], words[2:]
    if words and words[0].startswith("--data="):
        return words[0].partition("=")[2], words[1:]
    return None, words


def _overview() -> str:
    lines = [f"  {name:<11} {summary}" for name, (_, summary) in COMMANDS.items()]
    return "\n".join(
        [
            "usage: svartid [--data DIR] COMMAND [options]",
            "",
            "From the scanner's file to the pathologist's screen.",
            "",
            *lines,
            "",
            "examples:",
            "  svartid up --demo                      start, with slides to look at",
            "  svartid ingest slide.svs               read a slide in",
            "  svartid ingest /scans --json           every slide in a folder",
            "",
            "svartid COMMAND --help says more; svartid --version",
        ]
    )


if __name__ == "__main__":
    raise SystemExit(main())
