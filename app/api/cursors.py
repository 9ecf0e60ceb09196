"""Cursors: where a page ended, as an opaque text for the caller, and the Link header to the next page."""

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar
from urllib.parse import urlencode

import msgspec
from fastapi import Request

from app.core.problem import Problem
from app.errors import Invalid

Key = TypeVar("Key")


def cursor_of(key: object) -> str:
    """Return the cursor of a page's last key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).decode().rstrip("=")


def key_of(cursor: str, kind: type[Key]) -> Key:
    """Return the key in a cursor. Raises Invalid for one that is not ours."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        return msgspec.json.decode(base64.b64decode(padded, b"-_", validate=True), type=kind)
    except (UnicodeEncodeError, UnicodeDecodeError, binascii.Error, msgspec.MsgspecError):
        raise _unreadable() from None


def place_of(cursor: str) -> tuple[datetime, str]:
    """Return the instant, in UTC, and the id at which a page ended. Raises Invalid for a cursor that is not ours."""
    at, last_id = key_of(cursor, tuple[datetime, str])
    try:
        return at.astimezone(UTC), last_id
    except OverflowError:  # within hours of the first or the last instant there is
        raise _unreadable() from None


def next_link(request: Request, cursor: str | None) -> Mapping[str, str]:
    """Return the Link header that leads to the next page, none on the last one."""
    if cursor is None:
        return {}
    query = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return {"Link": f'<{request.url.path}?{urlencode([*query, ("cursor", cursor)])}>; rel="next"'}


def _unreadable() -> Invalid:
    detail = "send next_cursor of the page before as it was, or no cursor for the first page"
    return Invalid("the cursor cannot be read", [Problem("/query/cursor", detail)])
