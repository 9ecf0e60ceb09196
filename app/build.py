"""Which build this is: one short id over all that pages are made of, by which an open page knows it is out of date."""

from functools import cache
from hashlib import sha256
from pathlib import Path

from app import __version__

PACKAGE = Path(__file__).resolve().parent


@cache
def build_id() -> str:
    """Return 12 hex digits that change with the version and with any template or static file."""
    digest = sha256(__version__.encode())
    for folder in ("static", "templates"):
        for path in sorted((PACKAGE / folder).rglob("*")):
            if path.is_file():
                digest.update(path.relative_to(PACKAGE).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
