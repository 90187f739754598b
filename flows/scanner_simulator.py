"""A scanner as a foreign program would be; how it talks with svartid is in the files beside.

It asks for work, takes as long as scanners do, makes a slide with the glass's barcode on label and
in metadata, and hands it in. Now and then it fails, or has the wrong glass in the slot.
"""

from __future__ import annotations

import math
import random
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from processing.paint import Painting

MEDIAN_SECONDS, MEAN_SECONDS = 110.0, 150.0
"""Of a scan on routine slides (docs of the domain: between 117 and 183 s in the mean)."""
_SIGMA = math.sqrt(2 * math.log(MEAN_SECONDS / MEDIAN_SECONDS))
_BEAT = 20.0
_REASONS = ("focus", "tissue_not_found", "stitching", "glass_jammed")

Tell = Callable[[dict[str, Any]], None]
Item = dict[str, Any]
"""A scan that was taken: `item_id`, `barcode`, `stain`, and what its way to svartid adds."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the simulated scanner is like."""

    station: str = "S1"
    site: str = ""
    watch: Path | None = None
    """The watch folder it drops files in; None: it uploads them."""
    speed: float = 1.0
    """How many times faster than a real one."""
    failures: float = 0.015
    mistakes: float = 0.0
    """Share of scans with the wrong glass in the slot."""
    size: tuple[int, int] = (1500, 1100)
    poll: float = 1.0


class Stopped(Exception):
    """Told to stop in the middle of a scan."""


class TakenAway(Exception):
    """The scan is another's by now, or has ended."""


@dataclass(slots=True)
class Machine(ABC):
    """One machine."""

    options: Options
    tell: Tell
    chance: random.Random = field(default_factory=random.Random)
    stop: threading.Event = field(default_factory=threading.Event)
    _last: str = ""
    """The glass scanned before: what lies in the slot when somebody was in a hurry."""

    @abstractmethod
    def ask(self) -> Item | None:
        """Take a scan, if one waits."""

    @abstractmethod
    def say(self, item: Item, word: str, reason: str = "") -> None:
        """Tell what becomes of it: start, beat, fail. Errors: TakenAway."""

    @abstractmethod
    def hand_in(self, item: Item, painting: Painting, folder: Path) -> Item:
        """Make the slide in a folder, tell that it is done, deliver it; what to tell of it.

        Errors: TakenAway, OSError, ValueError.
        """

    @abstractmethod
    def is_away(self, error: Exception) -> bool:
        """Whether svartid is only away or busy."""

    def run(self) -> None:
        """Scan until told to stop; a server that is away or busy is waited for."""
        pause = self.options.poll
        while not self.stop.is_set():
            try:
                worked = self.once()
                pause = self.options.poll
            except Exception as error:
                if not self.is_away(error):
                    raise
                self.tell({"event": "server_away", "error": type(error).__name__})
                worked, pause = False, min(pause * 2, 30.0)
            if not worked:
                self.stop.wait(pause)

    def once(self) -> bool:
        """One scan, if one waits. Errors: those of the way to svartid."""
        item = self.ask()
        if item is None:
            return False
        about = {"item_id": item["item_id"], "barcode": item["barcode"]}
        try:
            self._scan(item, about)
        except Stopped:
            self._fail(item, about, "stopped")
        except TakenAway:
            self.tell({"event": "taken_away", **about})
        except (OSError, ValueError) as error:  # the disk, or a barcode that cannot be printed
            self._fail(item, about, type(error).__name__)
        return True

    def draw_seconds(self) -> float:
        """How long a scan takes on a real machine: lognormal."""
        return self.chance.lognormvariate(math.log(MEDIAN_SECONDS), _SIGMA)

    def _scan(self, item: Item, about: Item) -> None:
        self.say(item, "start")
        seconds = self.draw_seconds()
        fails = self.chance.random() < self.options.failures
        self.tell({"event": "started", **about, "seconds": round(seconds, 1)})
        self._wait(item, seconds * (self.chance.random() if fails else 1.0) / self.options.speed)
        if fails:
            self._fail(item, about, self.chance.choice(_REASONS))
            return
        glass = self._glass(item["barcode"])
        with tempfile.TemporaryDirectory(prefix="svartid-scanner-") as folder:
            told = self.hand_in(item, self._painting(glass, item["stain"]), Path(folder))
        told = {"event": "delivered", **about, **told}
        self.tell(told | ({"wrong_glass": glass} if glass != item["barcode"] else {}))

    def _glass(self, wanted: str) -> str:
        """What really lies in the slot."""
        if self.chance.random() >= self.options.mistakes:
            self._last = wanted
            return wanted
        return self._last if self._last not in ("", wanted) else f"{wanted}-X"

    def _painting(self, barcode: str, stain: str) -> Painting:
        """Another one each time: the same bytes would be the same scan."""
        plain = "".join(c for c in stain if c.isascii() and c.isprintable() and c not in "|\\")
        width, height = self.options.size
        seed = self.chance.randrange(1 << 31)
        return Painting(
            width, height, seed, barcode=barcode, accession="SCANNED", stain=plain[:16] or "HE"
        )

    def _wait(self, item: Item, seconds: float) -> None:
        """As long as a scan takes, telling now and then that it goes on."""
        until, beat = time.monotonic() + seconds, time.monotonic() + _BEAT
        while (left := until - time.monotonic()) > 0:
            if self.stop.wait(min(left, _BEAT / 4)):
                raise Stopped
            if time.monotonic() >= beat:
                self.say(item, "beat")
                beat += _BEAT

    def _fail(self, item: Item, about: Item, reason: str) -> None:
        self.say(item, "fail", reason)
        self.tell({"event": "failed", **about, "reason": reason})
