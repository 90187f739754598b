"""A department played from outside: its people, its scanner, its cases, over HTTP and commands."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.journeys.running import COMMAND, Running, wait_for

UNIT, SITE = "patologi", "naestved"
CPR = "0107604123"
"""A made-up person; fails modulus 11, as numbers may."""


@dataclass
class Day:
    """One unit of a running svartid and who works there."""

    running: Running
    passwords: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, httpx.Client] = field(default_factory=dict)
    _device: str = ""

    def hire(self, name: str, role: str, *more: str, unit: str = UNIT) -> None:
        """Add a person with a password of their own."""
        words = ("--role", role, "--unit", unit, "--site", SITE, *more)
        done = self.running.run("user", "add", name, *words)
        assert done.returncode == 0, done.stderr
        self.passwords[name] = done.stdout.split()[1]

    def client(self, name: str) -> httpx.Client:
        """A signed-in session of a person, as a browser would have it."""
        if name not in self._clients:
            client = httpx.Client(base_url=self.running.url, timeout=30)
            form = {"name": name, "password": self.passwords[name]}
            answer = client.post("/signin", data=form)
            assert answer.status_code == 303, answer.text
            self._clients[name] = client
        return self._clients[name]

    def get(self, name: str, path: str) -> Any:  # noqa: ANN401
        answer = self.client(name).get(path)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    def post(self, name: str, path: str, body: object = None, expect: int | None = None) -> Any:  # noqa: ANN401
        answer = self.client(name).post(path, json=body or {})
        told = f"{path}: {answer.status_code} {answer.text[:300]}"
        assert answer.status_code == expect if expect else answer.is_success, told
        return answer.json() if answer.content else None

    def case(self, name: str, accession: str) -> Any:  # noqa: ANN401
        return self.get(name, f"/api/v1/cases/{accession}")

    def wait_for_state(self, name: str, accession: str, *states: str, within: float = 45) -> Any:  # noqa: ANN401
        def look() -> Any:  # noqa: ANN401
            case = self.case(name, accession)
            return case if case["state"] in states else None

        what = f"{accession} is {' or '.join(states)}"
        return wait_for(look, within, f"{what}\n{self.running.log_tail()}")

    def enter(self, who: str, glasses: int = 1, **more: object) -> dict[str, Any]:
        """A case entered by hand; accession and barcodes."""
        body = {
            "identifier": CPR,
            "name": "Prøve Person",
            "requester": "Lægehuset",
            "unit": UNIT,
            "site": SITE,
            "priority": "package",
            "specimen_class": "biopsy",
            "parts": [{"part": "A", "topography": "Hud, ryg"}],
            "slides": [{"part": "A", "block": "A1", "stain": "HE"}] * glasses,
        }
        made: dict[str, Any] = self.post(who, "/api/v1/cases", body | more, 201)
        return made

    def scan(self, count: int = 1, *more: str, expect: int = 0) -> list[dict[str, Any]]:
        """The scanner takes what waits, so many times; what it said."""
        if not self._device:
            words = ("--user", "scanner-s1", "--role", "device")
            self._device = str(self.running.command("token", "create", *words)[0]["token"])
        said = []
        for _ in range(count):
            words = ["scanner", "--url", self.running.url, "--station", "S1", "--once", "--json"]
            done = subprocess.run(
                [str(COMMAND), *words, "--speed", "1000", "--failures", "0", *more],
                capture_output=True,
                text=True,
                timeout=120,
                env={"PATH": "/usr/bin:/bin", "SVARTID_TOKEN": self._device},
            )
            assert done.returncode == expect, done.stderr + done.stdout
            said += [json.loads(line) for line in done.stdout.splitlines() if line.strip()]
        return said

    def close(self) -> None:
        for client in self._clients.values():
            client.close()
