"""Why a piece of input was refused: where it is wrong, and what would be right."""

from typing import NamedTuple


class Problem(NamedTuple):
    """One refusal: an RFC 6901 JSON pointer into the input, and a sentence naming value, rule and remedy."""

    pointer: str
    detail: str
