"""Checking a password, at sign-in and again before a signature: few tries, few at once."""

from __future__ import annotations

import asyncio

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.concurrency import run_in_threadpool

from storage import people
from storage.database import Database
from storage.records.people import Role

_LIMITER = MovingWindowRateLimiter(MemoryStorage())
_TRIES = RateLimitItemPerMinute(10)
_TRIES_CLIENT = RateLimitItemPerMinute(60)
LONGEST = 200
_PLACES = asyncio.Semaphore(22)
"""Those being checked and those waiting; more are told to come back."""
_AT_ONCE = asyncio.Semaphore(2)
"""Checking a password takes 64 MiB, on purpose; a flood of tries must not take them all at once."""


def may_try(name: str, client: str) -> bool:
    """Few tries for a name, some more for a client over all names, and no queue of them."""
    if _PLACES.locked():
        return False
    return _LIMITER.hit(_TRIES_CLIENT, client) and _LIMITER.hit(_TRIES, name.lower(), client)


async def check(database: Database, name: str, password: str, client: str) -> Role | None:
    """The person's role when the password is right, else None and a trace of the try.

    The same answer, as slowly, for unknown names.
    """
    role = None
    if 0 < len(password) <= LONGEST:
        async with _PLACES, _AT_ONCE:
            role = await run_in_threadpool(people.check_password, database, name, password)
    if role is None:
        await run_in_threadpool(people.note_failed_sign_in, database, name, client)
    else:
        _LIMITER.clear(_TRIES, name.lower(), client)
    return role
