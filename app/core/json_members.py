"""Objects in JSON that say one thing twice: which of both counts is left open (RFC 8259, section 4). Pure."""

import re
from collections.abc import Iterable

_PLAIN_WORD = re.compile(r"[A-Za-z_]{1,40}[0-9]{0,2}")


def repeated(members: Iterable[tuple[str, object]]) -> str | None:
    """Return the first name that an object's members have twice, as it may be shown; None where each is there once.

    A name that is no plain word, as a caller's number may be one, is called "a member".
    """
    seen: set[str] = set()
    for name, _ in members:
        if name in seen:
            return repr(name) if _PLAIN_WORD.fullmatch(name) else "a member"
        seen.add(name)
    return None
