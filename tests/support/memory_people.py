"""The ports of people, their links and their browsers over plain dictionaries; nothing is durable."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from app.core.access import Role
from app.core.account.invitation import Invitation, Purpose
from app.core.event import Event
from app.errors import Conflict, NotFound
from app.ports.sessions import Session
from app.ports.users import LastAdmin, User


class MemoryPeople:
    """All three ports, and every event that they were given."""

    def __init__(self) -> None:
        self.secret = b""
        self.kept: dict[str, User] = {}
        self.links: dict[bytes, Invitation] = {}
        self.open: dict[bytes, Session] = {}
        self.events: list[Event] = []

    async def users(self) -> Sequence[User]:
        return sorted(self.kept.values(), key=lambda user: user.email)

    async def user(self, user_id: str) -> User:
        if user_id not in self.kept:
            raise NotFound(f"there is no user {user_id!r}")
        return self.kept[user_id]

    async def user_of(self, email: str) -> User | None:
        return next((user for user in self.kept.values() if user.email == email), None)

    async def add_user(self, user: User, event: Event, *, first: bool = False) -> None:
        if first and self.kept:
            raise Conflict("somebody is there already")
        if await self.user_of(user.email) is not None:
            raise Conflict(f"{user.email} is a user already")
        self.kept[user.id] = user
        self.events.append(event)

    async def admit(self, invitation: Invitation, user: User, event: Event) -> None:
        self._has(invitation)
        await self.add_user(user, event, first=invitation.purpose is Purpose.SETUP)
        del self.links[invitation.token_sha256]

    async def save_user(
        self, user: User, event: Event, *, expected: int, ends_sessions: bool, invitation: Invitation | None = None
    ) -> None:
        if invitation is not None:
            self._has(invitation)
        present = await self.user(user.id)
        if present.revision != expected:
            raise Conflict(f"user {user.id} is at revision {present.revision}, not {expected}: read it again")
        after = self.kept | {user.id: replace(user, signed_in_at=present.signed_in_at)}
        if not any(each.role is Role.ADMIN and each.disabled_at is None for each in after.values()):
            raise LastAdmin(f"{present.email} is the only admin; make somebody else one first")
        self.kept = after
        if invitation is not None:
            del self.links[invitation.token_sha256]
        if ends_sessions:
            self.open = {key: one for key, one in self.open.items() if one.user_id != user.id}
        self.events.append(event)

    async def save_hash(self, user_id: str, former: str, password_hash: str) -> None:
        if self.kept[user_id].password_hash == former:
            self.kept[user_id] = replace(self.kept[user_id], password_hash=password_hash)

    async def invitations(self, now: datetime) -> Sequence[Invitation]:
        good = [link for link in self.links.values() if link.expires_at > now]
        return sorted(sorted(good, key=lambda link: link.id), key=lambda link: link.created_at, reverse=True)

    async def invitation(self, token_sha256: bytes) -> Invitation | None:
        return self.links.get(token_sha256)

    async def add_invitation(self, invitation: Invitation, event: Event | None) -> None:
        same = (invitation.purpose, invitation.email, invitation.user_id)
        self.links = {
            key: link
            for key, link in self.links.items()
            if link.expires_at > invitation.created_at and (link.purpose, link.email, link.user_id) != same
        }
        self.links[invitation.token_sha256] = invitation
        self.events += [event] if event else []

    async def withdraw(self, invitation_id: str, event: Event) -> Invitation:
        found = next((link for link in self.links.values() if link.id == invitation_id), None)
        if found is None:
            raise NotFound(f"there is no invitation {invitation_id!r}")
        self.events.append(event)
        return self.links.pop(found.token_sha256)

    async def form_secret(self, new: bytes) -> bytes:
        self.secret = self.secret or new
        return self.secret

    async def add_session(self, session: Session, event: Event | None, *, replaces: bytes | None = None) -> None:
        if replaces is not None:
            self.open.pop(replaces, None)
        self.open[session.id_sha256] = session
        if event is not None:
            self.kept[session.user_id] = replace(self.kept[session.user_id], signed_in_at=session.created_at)
            self.events.append(event)

    async def session(self, id_sha256: bytes) -> tuple[Session, User] | None:
        session = self.open.get(id_sha256)
        return (session, self.kept[session.user_id]) if session else None

    async def sessions_of(self, user_id: str) -> Sequence[Session]:
        own = [session for session in self.open.values() if session.user_id == user_id]
        return sorted(own, key=lambda session: (session.seen_at, session.created_at), reverse=True)

    async def live_sessions(self, now: datetime, idle_since: datetime) -> frozenset[bytes]:
        return frozenset(
            key
            for key, one in self.open.items()
            if one.expires_at > now and one.seen_at >= idle_since and self.kept[one.user_id].disabled_at is None
        )

    async def mark_seen(self, seen: Mapping[bytes, datetime]) -> None:
        self.open |= {key: replace(self.open[key], seen_at=at) for key, at in seen.items() if key in self.open}

    async def delete_sessions(self, ids: Collection[bytes], event: Event | None) -> int:
        ended = [self.open.pop(key) for key in ids if key in self.open]
        self.events += [event] if ended and event else []
        return len(ended)

    async def prune_sessions(self, expired_before: datetime, idle_since: datetime) -> int:
        over = [key for key, one in self.open.items() if one.expires_at < expired_before or one.seen_at < idle_since]
        for key in over:
            del self.open[key]
        return len(over)

    def _has(self, invitation: Invitation) -> None:
        if invitation.token_sha256 not in self.links:
            raise NotFound("this link was used already, or withdrawn; ask for another one")
