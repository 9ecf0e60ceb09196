"""Numbers as people type them into a form: 25000, 25,000 or 25 000. Pure."""

import re

from app.core.campaign.request import MAX_AUDIENCE

LONGEST = 20
_NUMBER = re.compile(r"\d+|\d{1,3}([,.' \u00a0\u202f]\d{3})+", re.ASCII)


class NotRead(ValueError):
    """What was typed cannot be read; str() says what can."""


def read_audience(text: str) -> int | None:
    """Return how many recipients a text names, None where it is empty. Raises NotRead."""
    text = text.strip()
    if not text:
        return None
    if len(text) > LONGEST or not _NUMBER.fullmatch(text):
        raise NotRead("Write a whole number of recipients, such as 25,000.")
    audience = int(re.sub(r"\D", "", text))
    if not 1 <= audience <= MAX_AUDIENCE:
        raise NotRead(f"{audience:,} is not between 1 and {MAX_AUDIENCE:,} recipients.")
    return audience


def read_whole(text: str, default: int, least: int, most: int, what: str) -> int:
    """Return a whole number from least to most, the default where the text is empty. Raises NotRead."""
    text = text.strip()
    if not text:
        return default
    number = int(text) if len(text) <= LONGEST and text.isascii() and text.isdigit() else -1
    if not least <= number <= most:
        raise NotRead(f"{what}: write a whole number from {least} to {most}.")
    return number
