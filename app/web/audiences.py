"""An audience as people type it: 25000, 25,000 or 25 000. Pure."""

import re

from app.core.campaign.request import MAX_AUDIENCE

LONGEST = 20
_NUMBER = re.compile(r"\d+|\d{1,3}([,.' \u00a0\u202f]\d{3})+", re.ASCII)


class NoAudience(ValueError):
    """What was typed is no audience; str() says what is."""


def read_audience(text: str) -> int | None:
    """Return how many recipients a text names, None where it is empty. Raises NoAudience."""
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST or not _NUMBER.fullmatch(text):
        raise NoAudience("Write a whole number of recipients, such as 25,000.")
    audience = int(re.sub(r"\D", "", text))
    if not 1 <= audience <= MAX_AUDIENCE:
        raise NoAudience(f"{audience:,} is not between 1 and {MAX_AUDIENCE:,} recipients.")
    return audience
