"""What any field of an observation or a contact event must satisfy.

Each function returns None when the value is fine, else a sentence naming the value, the rule and the remedy. None of
them ever raises, whatever it is given: refusing is their job.
"""

import math
from datetime import datetime, timedelta
from functools import lru_cache

NAME_LENGTH = 128
LARGEST = 1_000_000_000
AHEAD_SECONDS = 300
AHEAD = timedelta(seconds=AHEAD_SECONDS)
LONGEST_WINDOW_SECONDS = 86_400
_SHOWN = 60


@lru_cache(maxsize=4096)
def good_name(value: object) -> bool:
    """Return whether a value may name a queue, a source or a contact. Raises TypeError when it has no hash."""
    return name_fault(value) is None


def name_fault(value: object) -> str | None:
    """Judge a name: 1 to 128 printable characters, no space at either end."""
    if not isinstance(value, str):
        return f"{shown(value)} is not text; send a name of 1 to {NAME_LENGTH} characters"
    if not value:
        return f"the name is empty; send 1 to {NAME_LENGTH} characters"
    if len(value) > NAME_LENGTH:
        return f"the name has {len(value)} characters; at most {NAME_LENGTH} are allowed"
    if not value.isprintable():
        return f"{shown(value)} contains a control or unprintable character; send printable characters only"
    if value[0] == " " or value[-1] == " ":
        return f"{shown(value)} begins or ends with a space; remove it"
    return None


def instant_fault(value: object, now: datetime) -> str | None:
    """Judge an instant: with a time zone, and not more than 5 minutes ahead of now."""
    if not isinstance(value, datetime):
        return f"{shown(value)} is not an instant; send RFC 3339 with a time zone"
    if value.utcoffset() is None:
        return f"{value.isoformat()} has no time zone; send UTC, for example {value.isoformat()}Z"
    if value - now > AHEAD:
        ahead = (value - now).total_seconds()
        return (
            f"{value.isoformat()} is {ahead:.0f} s ahead of this server's time {now.isoformat()}; "
            f"at most {AHEAD_SECONDS} s are allowed: check the source's clock"
        )
    return None


def count_fault(value: object) -> str | None:
    """Judge a count: a whole number from 0 to a thousand million."""
    if isinstance(value, bool) or not isinstance(value, int):
        return f"{shown(value)} is not a whole number; send a count from 0 to {LARGEST}"
    return _range_fault(value, LARGEST)


def seconds_fault(value: object) -> str | None:
    """Judge a duration in seconds, or a sum of such: a number from 0 to a thousand million."""
    return _number_fault(value) or _range_fault(value, LARGEST)


def ratio_fault(value: object) -> str | None:
    """Judge a ratio: a number from 0 to 1."""
    return _number_fault(value) or _range_fault(value, 1, "; send a share of one, not a percentage")


def window_fault(value: object) -> str | None:
    """Judge the length of a window in seconds: a number above 0, at most one day."""
    if (fault := _number_fault(value)) is not None:
        return fault
    assert isinstance(value, int | float)  # noqa: S101 - anything else has just been refused
    if 0 < value <= LONGEST_WINDOW_SECONDS:
        return None
    return f"{shown(value)} is not a window; send seconds above 0, at most {LONGEST_WINDOW_SECONDS}"


def _number_fault(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"{shown(value)} is not a number"
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} is not a finite number; leave the field out when the value is not known"
    return None


def _range_fault(value: object, most: int, hint: str = "") -> str | None:
    assert isinstance(value, int | float)  # noqa: S101 - the callers have refused everything else
    return None if 0 <= value <= most else f"{shown(value)} is outside 0 to {most}{hint}"


def shown(value: object) -> str:
    """Return a value as it may stand in a sentence: quoted, and cut when long."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value).bit_length() > 4 * _SHOWN:
        return "a number of more than 60 digits"  # printing it could take for ever, or be refused by Python
    if not isinstance(value, str | int | float | datetime | None):
        return f"a value of type {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
