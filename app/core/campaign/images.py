"""What a briefing's images must be: their forms, how large, and the names under which they are kept."""

import unicodedata
from collections.abc import Iterable

from app.core.campaign.wording import text_faults
from app.core.floor.fields import shown
from app.core.problem import Problem

EXTENSIONS = {"image/png": ("png",), "image/jpeg": ("jpg", "jpeg"), "image/webp": ("webp",)}
MAX_IMAGE_BYTES = 2 * 1024 * 1024
MAX_KEPT_BYTES = 2 * MAX_IMAGE_BYTES  # written anew it may be somewhat larger than it came
MAX_PIXELS = 25_000_000
MAX_SIDE = 16_000
MOST_IMAGES = 10
LONGEST_NAME = 100
LONGEST_ALT = 500
_NOT_IN_NAMES = frozenset('/\\:*?"<>|')


def label_faults(name: str, alt: str) -> list[Problem]:
    """Return what is wrong with an image's name and with what it says to those who cannot see it; [] when sound."""
    return [*_name_faults(name), *text_faults(alt, "/query/alt", LONGEST_ALT)]


def _name_faults(name: str) -> Iterable[Problem]:
    if not name.strip(". ") or len(name) > LONGEST_NAME:
        yield Problem("/query/name", f"{shown(name)} must be a file's name of 1 to {LONGEST_NAME} characters")
    elif not name.isprintable() or not _NOT_IN_NAMES.isdisjoint(name):
        yield Problem("/query/name", f"{shown(name)} contains a character that no file's name should; leave it out")


def size_fault(width: int, height: int) -> str | None:
    """Return why an image of so many pixels is refused, None when it is not."""
    if width * height <= MAX_PIXELS and max(width, height) <= MAX_SIDE:
        return None
    return (
        f"it is {width:,} by {height:,} pixels; at most {MAX_PIXELS:,} in all and {MAX_SIDE:,} on one side are allowed"
    )


def file_name(name: str, media_type: str) -> str:
    """Return an image's name with the ending that its bytes deserve: `offer.html` of a PNG becomes `offer.html.png`."""
    endings = EXTENSIONS[media_type]
    stem, _, ending = name.rpartition(".")
    return name if stem and ending.lower() in endings else f"{name.rstrip('.')}.{endings[0]}"


def ascii_name(name: str) -> str:
    """Return a file's name in plain ASCII, for programs that read nothing else: accents go, what is left becomes _."""
    plain = unicodedata.normalize("NFKD", name)
    kept = (character for character in plain if not unicodedata.combining(character))
    return "".join(
        character if character.isascii() and (character.isalnum() or character in "._- ") else "_" for character in kept
    )
