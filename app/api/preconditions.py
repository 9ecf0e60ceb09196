"""ETag and If-Match (RFC 9110, sections 8.8.3 and 13.1.1): nobody changes what they have not read."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from app.api.problems import CHANGED, IF_MATCH, Refused
from app.errors import Conflict


def etag(revision: int) -> Mapping[str, str]:
    """Return the header that names a revision."""
    return {"ETag": f'"{revision}"'}


def refuse_unread(thing: str, revision: int, if_match: str | None) -> None:
    """Raise Refused unless the caller has shown that they read `thing` at this revision, its present one.

    revision 0: there is none yet, so nothing has to be read, and an If-Match fits nothing.
    """
    now = f'at {revision}; read it and send If-Match: "{revision}"'
    if if_match is not None:
        _refuse_other(thing, revision, if_match, f"it is {now}" if revision else "there is none yet")
    elif revision:
        raise Refused(IF_MATCH, f"{thing} is {now}")


def _refuse_other(thing: str, revision: int, if_match: str, now: str) -> None:
    given = {tag.strip().removeprefix("W/").strip('"') for tag in if_match.split(",")}
    if not revision or given.isdisjoint({"*", str(revision)}):
        raise Refused(CHANGED, f"If-Match {if_match!r} does not fit {thing}: {now}")


@contextmanager
def refused_when_changed(*, but: tuple[type[Conflict], ...] = ()) -> Iterator[None]:
    """Answer 412 where somebody else's change came in between. but: conflicts that reading again would not mend."""
    try:
        yield
    except but:
        raise
    except Conflict as fault:
        raise Refused(CHANGED, str(fault)) from fault
