"""Places in the stream, found by halving: what stands in front of its messages only grows."""

from collections.abc import Callable
from typing import NamedTuple

from app.stream.nats.codec import Front, Unreadable, front_of
from app.stream.nats.pull import Message
from app.stream.nats.session import Session


class Found(NamedTuple):
    """A message and what stands in front of it."""

    message: Message
    front: Front


async def first_where(session: Session, first: int, last: int, holds: Callable[[Front], bool]) -> Found | None:
    """Return the first message from sequence `first` to `last` of which it holds, as it must of all behind it."""
    low, high = first, last + 1
    found: Found | None = None
    while low < high:
        middle = (low + high) // 2
        looked = await _readable(session, middle, high)
        if looked is None:
            high = middle
        elif holds(looked.front):
            found, high = looked, middle
        else:
            low = looked.message.sequence + 1
    return found


async def _readable(session: Session, sequence: int, below: int) -> Found | None:
    """Return the first message of ours at or after a sequence, None when there is none below the other one."""
    while sequence < below:
        message = await session.get(sequence)
        if message is None or message.sequence >= below:
            return None
        try:
            return Found(message, front_of(message.data))
        except Unreadable:
            sequence = message.sequence + 1
    return None


async def last_of(session: Session, first: int, last: int) -> Found | None:
    """Return the last message of ours from sequence `first` to `last`."""
    for sequence in range(last, first - 1, -1):
        message = await session.get(sequence)
        if message is not None and message.sequence == sequence:
            try:
                return Found(message, front_of(message.data))
            except Unreadable:
                continue
    return None
