"""A model stays in its box, whatever it tries; what could run code on opening is refused before."""

from __future__ import annotations

import io
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from flows.model_box import REQUIRED
from flows.model_sandbox import Limits, ModelFailed, Sandbox
from processing.models.ask import Patches
from processing.models.formats import told, without_examples
from storage.errors import Refused
from storage.records.models import ModelFormat
from tests.flows.guests import (
    exported,
    exported_manifest,
    manifest_of,
    pickled,
    running,
    weights,
    with_member,
)

PATCHES: Patches = np.random.default_rng(1).random((2, 3, 128, 128), np.float32)
UNGUARDED = {"TORCH_FORCE_WEIGHTS_ONLY_LOAD": "0"}
"""So that hostile code does run, and only the box is left to stop it."""
TRIES = """
import os, socket, ctypes, fcntl, threading
done = 0
def tried(bit, act):
    global done
    try:
        act()
        done |= bit
    except (OSError, MemoryError):
        pass
def forked():
    if os.fork() == 0:
        os._exit(0)
def threaded():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
tried(1, lambda: open({touched!r}, "w"))
tried(2, lambda: open({secret!r}).read())
tried(4, lambda: socket.create_connection(("127.0.0.1", {port})))
tried(8, lambda: socket.socket(socket.AF_UNIX))
tried(16, forked)
tried(32, lambda: os.execv("/bin/true", ["/bin/true"]))
tried(64, lambda: os.kill(os.getppid(), 0))
tried(128, lambda: fcntl.fcntl(0, 8, os.getppid()))
libc = ctypes.CDLL(None)
# ptrace, unshare, mount, io_uring_setup, bpf, memfd_create, process_vm_readv, setns, keyctl, ioctl
for number in (101, 272, 165, 425, 321, 319, 310, 308, 250, 16):
    if libc.syscall(number, 0, 0, 0, 0, 0) != -1:
        done |= 128
if any("SECRET" in name for name in os.environ) or len(os.listdir("/usr/lib")) < 1:
    done |= 128
threaded()
os._exit(done or 200)
"""


def hostile(code: str, limits: Limits | None = None) -> str:
    """What comes of code that runs in the box, as quickly as a process starts."""
    worker = (sys.executable, str(Path(__file__).with_name("hostile_worker.py")))
    box = Sandbox(manifest_of(b""), code.encode(), limits or Limits(), worker)
    with pytest.raises(ModelFailed) as failed, box:
        box(PATCHES)
    return str(failed.value)


def test_weights_for_a_network_of_ours_are_run() -> None:
    data = weights()
    with Sandbox(manifest_of(data), data) as box:
        answers = box(PATCHES)
        assert set(box.held) >= REQUIRED
        assert 0 < box.peak_bytes() < 2**31
    assert answers["fold"].shape == (2, 1, 16, 16)


def test_an_honest_pt2_is_run() -> None:
    data = exported()
    assert told(data) is ModelFormat.PT2
    with Sandbox(exported_manifest(data), data) as box:
        np.testing.assert_allclose(box(PATCHES)["fold"], PATCHES[:, :1, ::8, ::8] * 2)


def test_hostile_code_gets_at_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write, read a file beside, call home, a local socket, fork, exec, signal, secrets."""
    monkeypatch.setenv("SVARTID_SECRET", "x")
    secret, touched = tmp_path / "svartid.sqlite", tmp_path / "touched"
    secret.write_text("names")
    secret.chmod(0o644)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = TRIES.format(touched=str(touched), secret=str(secret), port=port)
        data = running(code)
        box = Sandbox(exported_manifest(data), data, Limits(environment=UNGUARDED))
        with pytest.raises(ModelFailed, match=re.escape("its process ended (200)")), box:
            pass  # it ran, and nothing worked
        assert "its process ended (200)" in hostile(code)
    assert not touched.exists()


def test_without_the_box_it_would(tmp_path: Path) -> None:
    """What is tried above does work where nothing holds it."""
    touched = tmp_path / "touched"
    code = TRIES.format(touched=str(touched), secret=__file__, port=1)
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=30)
    assert (done.returncode, touched.exists()) == (0, True)  # it became /bin/true


def test_what_eats_memory_ends_there() -> None:
    limits = Limits(memory=256 * 2**20)
    assert "failed (MemoryError)" in hostile("x = bytearray(2**33)", limits)


def test_what_never_ends_is_killed() -> None:
    began = time.monotonic()
    limits = Limits(answer_seconds=1.0)
    assert "took too long" in hostile("while True: pass", limits)
    assert time.monotonic() - began < 20


def test_what_uses_up_its_time_is_ended() -> None:
    assert "its process ended (-" in hostile("while True: pass", Limits(cpu_seconds=1))


@pytest.mark.parametrize(
    "said", [b"nonsense" * 9, b"\0\0\0\2[]", b'\0\0\0\x19{"loaded":true,"bytes":99}']
)
def test_nonsense_is_no_answer(said: bytes) -> None:
    """Whoever writes into the pipe by themselves is not believed."""
    code = f"import os\nfor n in range(1, 9):\n try: os.write(n, {said!r})\n except OSError: pass"
    assert "nonsense" in (answer := hostile(code)) or "more than" in answer


def test_unpickling_is_off_in_the_box_too(tmp_path: Path) -> None:
    data = running("import os; os._exit(7)")
    with pytest.raises(ModelFailed, match=r"failed \(UnpicklingError\)"):
        Sandbox(exported_manifest(data), data).__enter__()


def test_pickled_examples_are_taken_out_before() -> None:
    out = io.BytesIO()
    torch.save(pickled("import os; os._exit(7)"), out)
    data = with_member(exported(), "data/sample_inputs/model.pt", pickled("raise SystemExit"))
    assert told(data) is ModelFormat.PT2
    assert b"SystemExit" in data
    assert b"SystemExit" not in without_examples(data)


def test_a_machine_that_cannot_hold_it_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.model_sandbox.REQUIRED", REQUIRED | {"a moat"})
    worker = (sys.executable, str(Path(__file__).with_name("hostile_worker.py")))
    with pytest.raises(Refused, match="a moat missing"):
        Sandbox(exported_manifest(b""), b"", worker=worker).__enter__()


def torch_saved() -> bytes:
    out = io.BytesIO()
    torch.save({"w": torch.rand(2)}, out)
    return out.getvalue()


def scripted() -> bytes:
    out = io.BytesIO()
    torch.jit.save(torch.jit.script(torch.nn.ReLU()), out)
    return out.getvalue()


@pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning")
def test_what_runs_when_opened_is_refused(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    touch = f"open({str(touched)!r}, 'w')"
    refused = {
        "pickle": [pickled(touch), torch_saved()],
        "use_pickle": [running(touch)],
        "TorchScript": [scripted()],
        "compiled": [with_member(exported(), "data/aotinductor/model/a.so", b"\x7fELF")],
        "pickled objects": [
            with_member(exported(), "data/weights/model.pt", torch_saved()),
            with_member(exported(), "data/constants/custom_obj_0", b"x"),
        ],
        "neither": [b"", b"\0" * 40, weights()[:-1], weights() + b"\0", os.urandom(400)],
    }
    for reason, files in refused.items():
        for data in files:
            with pytest.raises(Refused) as said:
                told(data)
            assert reason in str(said.value) or reason == "neither"
    assert not touched.exists()
