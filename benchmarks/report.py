"""Tables in README.md from the newest recorded results; everything between the marks is remade.

`python -m benchmarks.report`; `python -m benchmarks.plot` draws the picture beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from benchmarks.conversion import COMPLETE, READY
from benchmarks.figures import (
    PAINTED,
    REAL,
    Document,
    cpu,
    newest,
    picture_of,
    quietest,
    recorded_elsewhere,
    served,
    wall,
    warm,
)

README = Path(__file__).parent / "README.md"
_BEGIN, _END = "<!-- results: begin -->", "<!-- results: end -->"


def main() -> int:
    """Rewrite the part of README.md between the marks."""
    bench, scale = newest("bench"), newest("scale")
    parts = [bench_text(json.loads(bench.read_text()), bench)] if bench else []
    parts += [scale_text(json.loads(scale.read_text()))] if scale else []
    text = README.read_text()
    head, _, rest = text.partition(_BEGIN)
    tail = rest.partition(_END)[2]
    README.write_text(f"{head}{_BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{_END}{tail}")
    print(README)
    return 0


def bench_text(run: Document, path: Path) -> str:
    """The whole report of one run, as Markdown."""
    picture = picture_of(path)
    parts = [
        f"## {path.name[:10]}",
        _conditions(run),
        f"![Seconds and requests a second, svartid and peers](results/{picture.name})",
        *(_section(run, role) for role in (REAL, PAINTED) if role in run["slides"]),
        _serving(run),
        _first_tiles(run),
        _memory(run),
        _startup(run),
        _budgets(run),
        _peers(run),
    ]
    return "\n\n".join(part for part in parts if part)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *([_cell(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _cell(value: object) -> str:
    """A figure with three digits that say something."""
    if value is None:
        return ""
    if isinstance(value, float):
        digits = 0 if abs(value) >= 100 else 1 if abs(value) >= 10 else 2 if abs(value) >= 1 else 3
        return f"{value:,.{digits}f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _conditions(run: Document) -> str:
    machine = run["machine"]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB, "
        f"{machine['system']}, Python {machine['python']}, load {machine['load']} at the "
        f"beginning and {machine.get('load_at_the_end')} at the end.",
    ]
    if run["note"]:
        lines.append(f"**Taken on {run['note']}.**")
    return " ".join(lines)


def _section(run: Document, role: str) -> str:
    """Reading one slide in: the table, and the warm process below it."""
    slide = run["slides"][role]
    if "failed" in slide:
        return f"### Reading in, {role} slide\n\nFailed: {slide['failed']}"
    width, height = slide["pixels"]
    title = f"### Reading in {slide['name']} ({width:,} x {height:,}, {slide['mb']:.0f} MB)"
    rows = [_job(run, role, name, job) for name, job in slide["conversion"].items()]
    head = ["whole process", "what it does", "wall s (range)", "CPU s", "CPU ms/Mpx", "peak MB"]
    head += ["files", "MB", "runs", "wall, x ready", "CPU, x complete"]
    parts = ", ".join(f"{one['ready_s']:.2f}" for one in slide["warm"])
    taken = ", ".join(f"{one['take_over_s']:.2f}" for one in slide["warm"])
    below = (
        "In a process that is warm, from the complete file to readable: "
        f"**{warm(run, role):.2f} s** (median of {parts}; of that taking over with SHA-256: "
        f"{taken}). "
        f"The hypervisor took {slide['steal_s']} core seconds meanwhile."
    )
    return "\n\n".join([title, _table(head, rows), below])


def _job(run: Document, role: str, name: str, job: Document) -> list[object]:
    if "missing" in job:
        return [f"`{name}`", f"missing: {job['missing']}", *[None] * 9]
    share = 1000 * job["cpu_s"] / job["megapixels"]
    return [
        f"`{name}`",
        job["work"],
        f"{_cell(job['wall_s'])} ({_cell(job['wall_min_s'])}–{_cell(job['wall_max_s'])})",
        job["cpu_s"],
        share,
        round(job["peak_mb"]),
        job["files"],
        job["mb"],
        job["runs"],
        _ratio(run, role, name, wall, READY),
        _ratio(run, role, name, cpu, COMPLETE),
    ]


def _ratio(
    run: Document, role: str, name: str, figure: Callable[[Document, str, str], float], ours: str
) -> float | None:
    """How many times ours; nothing for the peer that only took a crop."""
    conversion = run["slides"][role]["conversion"]
    if "missing" in conversion.get(ours, {"missing": ""}):
        return None
    if conversion[name]["megapixels"] != conversion[ours]["megapixels"]:
        return None
    return figure(run, role, name) / figure(run, role, ours)


def _serving(run: Document) -> str:
    serving = run["serving"]
    if "failed" in serving:
        return f"### Serving\n\nFailed: {serving['failed']}"
    rows: list[list[object]] = []
    for name, server in serving["servers"].items():
        best = quietest(run, name)
        keys = ("requests_per_s", "p50_ms", "p99_ms", "cpu_ms_per_request")
        medians = [served(run, name, key) for key in keys]
        steal = " ".join(f"{one['steal']:.2f}" for one in server["rounds"])
        errors = sum(one["errors"] for one in server["rounds"])
        quiet = f"{best['requests_per_s']:,.0f} / {_cell(best['p99_ms'])}"
        rows.append(
            [name, *medians, server["resident_mb"], errors, server["difference"], steal, quiet]
        )
    rows += [[name, f"missing: {why}", *[None] * 8] for name, why in serving["missing"].items()]
    for name, one in recorded_elsewhere()["serving"].items():
        figures = [float(one[key]) for key in keys]
        rows.append([f"*{name}, recorded elsewhere*", *figures, None, None, None, one["steal"], ""])
    head = ["server", "requests/s", "p50 ms", "p99 ms", "CPU ms a request", "resident MB"]
    head += ["errors", "pixels off", "steal by round", "quietest round: requests/s / p99"]
    text = (
        "wrk, 1 thread, 8 connections, "
        f"{serving['seconds']} s a round, medians, the same random tiles of level 0. svartid is "
        "signed in and audited. CPU is that of the server's whole process tree; wrk takes a core "
        "of its own. *Pixels off* is the worst mean difference of a tile from the source's."
    )
    return "\n\n".join(["### Serving", text, _table(head, rows)])


def _first_tiles(run: Document) -> str:
    first = run["serving"].get("first_tile", run["serving"])
    title = "### First tile of a slide the running server never opened"
    if "failed" in first:
        return f"{title}\n\nFailed: {first['failed']}"
    rows: list[list[object]] = [
        [
            "svartid",
            *(first["warm"][key] for key in ("median_ms", "min_ms", "max_ms", "second_ms")),
            *(first["evicted"][key] for key in ("median_ms", "min_ms", "max_ms")),
        ]
    ]
    elsewhere = recorded_elsewhere()
    for name, one in elsewhere["first_tile_ms"].items():
        row = [f"*{name}, recorded elsewhere*", one["warm"], None, None, one["second"]]
        rows.append([*row, one["evicted"], None, None])
    head = ["server", "warm: median ms", "min", "max", "second request"]
    head += ["evicted: median ms", "min", "max"]
    text = (
        "Ten copies of the slide, a new connection for each request; the files in the page cache, "
        f"and evicted. *Recorded elsewhere*: {elsewhere['source']}."
    )
    return "\n\n".join([title, text, _table(head, rows)])


def _memory(run: Document) -> str:
    memory = run["serving"].get("memory", run["serving"])
    title = "### Memory of one worker over 1,000 slides"
    if "failed" in memory:
        return f"{title}\n\nFailed: {memory['failed']}"
    grown = ", ".join(f"{slides}: {mb:.0f}" for slides, mb in memory["resident_mb"].items())
    return (
        f"{title}\n\nResident MB after so many slides, {memory['tiles_each']} tiles of each: "
        f"{grown}; {memory['descriptors']} open files at the end."
    )


def _startup(run: Document) -> str:
    startup = run["startup"]
    if "failed" in startup:
        return f"### Start\n\nFailed: {startup['failed']}"
    rows = [
        [f"`{name}`", one["seconds"], one["modules"], ", ".join(one["heavy"]) or "none"]
        for name, one in startup["imports"].items()
    ]
    seconds = startup["help"]["wall_s"]
    head = ["import of", "seconds", "modules", "of pandas' weight"]
    return "\n\n".join(["### Start", f"`svartid --help`: {seconds:.3f} s.", _table(head, rows)])


def _budgets(run: Document) -> str:
    words = {True: "met", False: "**missed**", None: "not judged"}
    rows = [
        [
            one["name"],
            one["is"] if one["is"] is not None else one["why"],
            f"{'at least' if one['at_least'] else 'at most'} {one['budget']:g} {one['unit']}",
            words[one["met"]],
        ]
        for one in run["budgets"]
    ]
    return "### Budgets\n\n" + _table(["budget", "is", "wanted", ""], rows)


def _peers(run: Document) -> str:
    known: dict[str, Any] = dict(run["versions"])
    for environment in run["peers"].values():
        known |= environment["versions"]
    listed = ", ".join(f"{name} {version}" for name, version in sorted(known.items()))
    return f"Versions: {listed}."


def scale_text(run: Document) -> str:
    """The report of one full-size run, as Markdown."""
    width, height = run["pixels"]
    rows = [
        [
            f"`svartid ingest --until {until}`",
            *(run[f"{until}_{figure}"] for figure in ("wall_s", "cpu_s", "peak_mb", "files", "mb")),
        ]
        for until in ("ready", "complete")
    ]
    date, load = run["machine"]["date"][:10], run["machine"]["load"]
    title = f"## Scale, {date}: {width:,} x {height:,} pixels, {run['bytes'] / 1e9:.1f} GB"
    text = f"Load {load} at the beginning. " + (f"**Taken on {run['note']}.**" * bool(run["note"]))
    head = ["whole process", "wall s", "CPU s", "peak MB", "pyramid: files", "MB"]
    return "\n\n".join([title, text, _table(head, rows)])


if __name__ == "__main__":
    raise SystemExit(main())
