"""Deleting a table's old rows in bounded portions, one key after the other, so that no write waits for long."""

from collections.abc import Callable
from typing import TypeVar

Key = TypeVar("Key")


def delete_in_turn(
    key: Key, limit: int, *, delete: Callable[[Key, int], int], after: Callable[[Key], Key | None]
) -> tuple[int, Key | None]:
    """Return how many rows were deleted from `key` on, at most `limit`, and the key to go on from; None: all is done.

    delete: deletes up to so many of one key's rows and returns how many. after: returns the next key, None at the end.
    """
    deleted = 0
    following: Key | None = key
    while following is not None:
        deleted += delete(following, limit - deleted)
        if deleted >= limit:
            break
        following = after(following)
    return deleted, following
