"""Hashes of passwords, made and checked beside the event loop, by argon2id (RFC 9106).

However many sign in at once, only a few hashes are made at a time: each takes 64 MiB for a moment.
"""

import asyncio
import secrets
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

AT_A_TIME = 2
Result = TypeVar("Result")


class Passwords:
    """Makes hashes and compares passwords with them; each comparison is the same work, whoever is asked for."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._slots = asyncio.Semaphore(AT_A_TIME)
        self._nobodys: str | None = None

    async def hash(self, password: str) -> str:
        """Return what is kept of a password: its salted hash with the costs that it took."""
        return await self._beside(lambda: self._hasher.hash(_bytes(password)))

    async def matches(self, password: str, kept: str | None) -> bool:
        """Return whether a password is the one of a hash; False for None, after the same work as for any other."""
        return await self._beside(lambda: self._matches(_bytes(password), kept))

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other costs than new ones are."""
        return self._hasher.check_needs_rehash(kept)

    def _matches(self, password: bytes, kept: str | None) -> bool:
        if self._nobodys is None:
            self._nobodys = self._hasher.hash(secrets.token_bytes())
        try:
            return self._hasher.verify(self._nobodys if kept is None else kept, password) and kept is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _beside(self, work: Callable[[], Result]) -> Result:
        async with self._slots:
            return await asyncio.to_thread(work)


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
