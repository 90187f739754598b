"""The system calls that computing needs, as a seccomp filter for x86-64: pure, bytes out.

What is not named here fails with EPERM. Some are allowed for some of what they do: `openat` to
read, `clone` for threads, `tgkill` for one's own, `fcntl` for flags. Another architecture's calls
end the process.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence

_ARCH_X86_64, _X32 = 0xC000003E, 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _ANY_OF, _ANSWER = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS = 1, 38
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | 0o20000000
_THREAD = 0x10000
_OPEN, _CLONE, _FCNTL, _TGKILL, _OPENAT, _PRLIMIT, _CLONE3 = 2, 56, 72, 234, 257, 302, 435
_FCNTL_COMMANDS = (0, 1, 2, 3, 4, 1030)
"""Duplicate, get and set flags: not whom a pipe sends signals to."""

ALLOWED = (
    0, 1, 3, 4, 5, 6, 7, 8,  # read, write, close, stat, fstat, lstat, poll, lseek
    9, 10, 11, 12, 13, 14, 15,  # mmap, mprotect, munmap, brk, rt_sigaction, -procmask, -return
    17, 19, 20, 21, 23, 24, 25,  # pread64, readv, writev, access, select, sched_yield, mremap
    26, 27, 28, 32, 33, 35, 39,  # msync, mincore, madvise, dup, dup2, nanosleep, getpid
    60, 63, 78, 79, 89,  # exit, uname, getdents, getcwd, readlink
    96, 97, 98, 99, 100, 102, 104,  # gettimeofday, getrlimit, getrusage, sysinfo, times, get*id
    107, 108, 131, 158, 186, 201,  # geteuid, getegid, sigaltstack, arch_prctl, gettid, time
    202, 204, 217, 218, 219,  # futex, sched_getaffinity, getdents64, set_tid_address, restart
    228, 229, 230, 231, 239,  # clock_*, exit_group, get_mempolicy
    262, 267, 269, 270, 271, 273,  # newfstatat, readlinkat, faccessat, pselect6, ppoll, robust
    292, 309, 318, 324, 332, 334, 439,  # dup3, getcpu, getrandom, membarrier, statx, rseq, access
)  # fmt: skip
"""Numbers of linux/asm/unistd_64.h. No ioctl, no kill, no execve, no socket, no io_uring."""


def filter_program(allowed: Sequence[int], own: int) -> bytes:
    """The filter as the kernel takes it (struct sock_filter, eight bytes each)."""
    lines = [
        _line(_LOAD, _ARCH),
        _line(_EQUAL, _ARCH_X86_64, 1, 0),
        _line(_ANSWER, _KILL),
        _line(_LOAD, _NUMBER),
        _line(_AT_LEAST, _X32, 0, 1),
        _line(_ANSWER, _KILL),
    ]
    for number in allowed:
        lines += _when(number, [_line(_ANSWER, _ALLOW)])
    lines += _when(_OPEN, _unless_set(1, _WRITES))
    lines += _when(_OPENAT, _unless_set(2, _WRITES))
    lines += _when(_CLONE, _if_set(0, _THREAD))
    lines += _when(_FCNTL, _if_one_of(1, _FCNTL_COMMANDS))
    lines += _when(_TGKILL, _if_one_of(0, (own,)))
    lines += _when(_PRLIMIT, _if_one_of(2, (0,)))
    lines += _when(_CLONE3, [_line(_ANSWER, _FAIL | _ENOSYS)])  # libc falls back to clone
    return b"".join([*lines, _refuse()])


def _line(code: int, value: int, met: int = 0, unmet: int = 0) -> bytes:
    return struct.pack("=HBBI", code, met, unmet, value)


def _refuse() -> bytes:
    return _line(_ANSWER, _FAIL | _EPERM)


def _when(number: int, then: list[bytes]) -> list[bytes]:
    """Lines for one call; they end in an answer."""
    return [_line(_EQUAL, number, 0, len(then)), *then]


def _argument(index: int) -> bytes:
    """The lower half: flags and ids have no more."""
    return _line(_LOAD, _ARGUMENTS + 8 * index)


def _unless_set(index: int, bits: int) -> list[bytes]:
    allow = _line(_ANSWER, _ALLOW)
    return [_argument(index), _line(_ANY_OF, bits, 1, 0), allow, _refuse()]


def _if_set(index: int, bits: int) -> list[bytes]:
    allow = _line(_ANSWER, _ALLOW)
    return [_argument(index), _line(_ANY_OF, bits, 0, 1), allow, _refuse()]


def _if_one_of(index: int, values: Sequence[int]) -> list[bytes]:
    tries = [_line(_EQUAL, value, len(values) - at, 0) for at, value in enumerate(values)]
    return [_argument(index), *tries, _refuse(), _line(_ANSWER, _ALLOW)]
