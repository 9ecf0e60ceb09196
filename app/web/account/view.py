"""People, their links and their browsers, ready to print. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.access import MEANING_OF, Role
from app.core.account.invitation import Invitation, Purpose
from app.core.problem import Problem
from app.ports.sessions import Session
from app.ports.users import User
from app.web.moments import Moment, clock

ROLES = tuple((role.value, f"{role}: {meaning}") for role, meaning in MEANING_OF.items())


@dataclass(frozen=True, slots=True)
class UserRow:
    """One line of the list of users."""

    id: str
    email: str
    name: str
    role: Role
    is_disabled: bool
    is_you: bool
    signed_in: Moment | None


@dataclass(frozen=True, slots=True)
class InvitationRow:
    """One line of the list of links that nobody used yet."""

    id: str
    email: str
    what: str
    made_by: str
    until: Moment


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One line of the list of one's own browsers."""

    name: str
    browser: str
    is_this: bool
    since: Moment
    seen: Moment
    until: Moment


@dataclass(frozen=True, slots=True)
class Handover:
    """A link that was just made, which can be copied now and never again."""

    email: str
    what: str
    link: str
    until: Moment


def user_rows(users: Sequence[User], you: str | None, zone: ZoneInfo, now: datetime) -> list[UserRow]:
    """Return all users; you: the id of who looks, None for nobody in particular."""
    return [
        UserRow(
            id=user.id,
            email=user.email,
            name=user.name,
            role=user.role,
            is_disabled=user.disabled_at is not None,
            is_you=user.id == you,
            signed_in=clock(user.signed_in_at, zone, now) if user.signed_in_at else None,
        )
        for user in users
    ]


def invitation_rows(links: Iterable[Invitation], zone: ZoneInfo, now: datetime) -> list[InvitationRow]:
    """Return the links that nobody used yet."""
    return [
        InvitationRow(link.id, link.email, _what(link), link.made_by, clock(link.expires_at, zone, now))
        for link in links
    ]


def session_rows(sessions: Iterable[Session], this: str, zone: ZoneInfo, now: datetime) -> list[SessionRow]:
    """Return somebody's browsers; this: the name of the session of the one in which they look."""
    return [
        SessionRow(
            name=session.name,
            browser=session.browser,
            is_this=session.name == this,
            since=clock(session.created_at, zone, now),
            seen=clock(session.seen_at, zone, now),
            until=clock(session.expires_at, zone, now),
        )
        for session in sessions
    ]


def handover(link: Invitation, address: str, path: str, zone: ZoneInfo, now: datetime) -> Handover:
    """Return a link that was just made, with the address at which people open holdfire before its path."""
    return Handover(link.email, _what(link), f"{address}{path}", clock(link.expires_at, zone, now))


def faults_of(problems: Iterable[Problem]) -> Mapping[str, str]:
    """Return for each field of a form what is wrong with it, as a sentence."""
    return {problem.pointer.removeprefix("/"): sentence(problem.detail) for problem in problems}


def sentence(text: str) -> str:
    """Return a fault's text as a sentence: a capital before it, a full stop behind."""
    return f"{text[:1].upper()}{text[1:]}."


def _what(link: Invitation) -> str:
    return "a new password" if link.purpose is Purpose.RESET else f"to join as {link.role}"
