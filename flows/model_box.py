"""What keeps a stranger's model in: taken on by its own process before a byte of it is read.

No privilege is needed and none of it can be taken off again. On Linux on x86-64, with Landlock:
- seccomp: only the calls that computing needs. No socket, no other program, no new process (but
  threads), no signal to anybody else, no file opened for writing;
- Landlock: of the file system Python's own folders, to read; no TCP; no signals across;
- limits of memory, processor time, open files; no core dump, no file may grow;
- no capability, also where the process began as root, and a network of its own with nothing in it.
`enter` says what it got; `REQUIRED` is what a `.pt2` may not run without.

Sources: landlock(7), seccomp(2), linux/landlock.h, linux/seccomp.h, the x86-64 syscall table.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct
import sys
from collections.abc import Sequence
from pathlib import Path

from flows.model_calls import ALLOWED, filter_program

SECCOMP, LANDLOCK, LIMITS = "seccomp", "landlock", "limits"
NETWORK, PRIVILEGES = "network", "privileges"
REQUIRED = frozenset({SECCOMP, LANDLOCK, LIMITS, PRIVILEGES})
_NO_NEW_PRIVILEGES, _SET_SECCOMP, _MODE_FILTER = 38, 22, 2
_CREATE, _ADD, _RESTRICT = 444, 445, 446
_READ = 1 << 2 | 1 << 3
_PATH_BENEATH, _OPEN_PATH = 1, 0o10000000
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000
_CAPSET, _CAPABILITIES_3 = 126, 0x20080522
_LIBC = ctypes.CDLL(None, use_errno=True)


def enter(memory: int, cpu_seconds: int) -> tuple[str, ...]:
    """Close the box round this process; what holds from now on.

    Call with one thread and everything imported: threads that are there already stay outside.
    """
    if not sys.platform.startswith("linux") or platform.machine() != "x86_64":
        return (LIMITS,) if sys.platform.startswith("linux") and _limit(memory, cpu_seconds) else ()
    if len(os.listdir("/proc/self/task")) != 1:
        return ()
    held = [
        name
        for name, done in (
            (NETWORK, _own_network()),
            (LIMITS, _limit(memory, cpu_seconds)),
            (PRIVILEGES, _give_up_privileges()),
        )
        if done
    ]
    if _LIBC.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        held += [LANDLOCK] if _landlock(_python_folders()) else []
        held += [SECCOMP] if _seccomp() else []
    return tuple(held)


def _python_folders() -> list[str]:
    """What Python may still load when it is first needed; a data folder is never in there."""
    found = {sys.prefix, sys.base_prefix, "/usr/lib", "/lib", "/lib64"}
    found |= {path for path in sys.path if Path(path).name in ("site-packages", "lib-dynload")}
    return sorted(path for path in found if path not in ("", "/") and Path(path).is_dir())


def _own_network() -> bool:
    return any(_LIBC.unshare(at) == 0 for at in (_NEW_NETWORK, _NEW_USER | _NEW_NETWORK))


def _limit(memory: int, cpu_seconds: int) -> bool:
    """Memory on top of what the libraries take already."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    whole = pages * os.sysconf("SC_PAGE_SIZE") + memory
    limits = {
        resource.RLIMIT_AS: whole,
        resource.RLIMIT_CPU: cpu_seconds,
        resource.RLIMIT_FSIZE: 0,
        resource.RLIMIT_NOFILE: 64,
        resource.RLIMIT_CORE: 0,
    }
    try:
        for what, most in limits.items():
            resource.setrlimit(what, (most, most))
    except (ValueError, OSError):
        return False
    return True


def _give_up_privileges() -> bool:
    """Every capability, for good; root is then somebody who owns some files, and no more.

    Not another user: Python may lie where only its owner can read, and Landlock is what decides.
    """
    header = struct.pack("=Ii", _CAPABILITIES_3, 0)
    return bool(_LIBC.syscall(_CAPSET, header, bytes(24)) == 0)


def _landlock(readable: Sequence[str]) -> bool:
    """Everything is handled, and only reading below `readable` is allowed."""
    version = _LIBC.syscall(_CREATE, None, ctypes.c_size_t(0), 1)
    if version < 4:  # before 4 it says nothing about the network
        return False
    files = (1 << (16 if version >= 5 else 15)) - 1
    attributes = struct.pack("=QQQ", files, 0b11, 0b11)[: 24 if version >= 6 else 16]
    rules = _LIBC.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return False
    try:
        for path in readable:
            folder = os.open(path, _OPEN_PATH | os.O_CLOEXEC)
            rule = struct.pack("=Qi", _READ, folder)
            done = _LIBC.syscall(_ADD, rules, _PATH_BENEATH, rule, 0)
            os.close(folder)
            if done:
                return False
        return bool(_LIBC.syscall(_RESTRICT, rules, 0) == 0)
    finally:
        os.close(rules)


def _seccomp() -> bool:
    program = filter_program(ALLOWED, os.getpid())

    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))

    asked = Program(len(program) // 8, program)
    return bool(_LIBC.prctl(_SET_SECCOMP, _MODE_FILTER, ctypes.byref(asked), 0, 0) == 0)
