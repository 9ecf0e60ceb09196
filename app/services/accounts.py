"""People who may sign in: added, changed, disabled. Who may do less than before is signed out everywhere at once."""

import secrets
from collections.abc import Sequence
from dataclasses import replace

from app.core.access import Role
from app.core.account.email import email_fault, normal_email
from app.core.account.invitation import Invitation
from app.core.account.password import password_fault
from app.core.event import Actor, Event, EventType
from app.core.problem import Problem
from app.errors import Invalid
from app.ports.clock import Clock
from app.ports.users import User, UserStore
from app.services.passwords import Passwords
from app.services.sessions import Sessions

MAX_NAME = 100
_ID_BYTES = 8


class Accounts:
    """All users. A change of role, a new password and being disabled end their sessions, with their open sockets."""

    def __init__(self, store: UserStore, sessions: Sessions, passwords: Passwords, clock: Clock) -> None:
        self._store, self._sessions, self._passwords, self._clock = store, sessions, passwords, clock

    async def all(self) -> Sequence[User]:
        """Return everybody, disabled ones too, by email."""
        return await self._store.users()

    async def find(self, user_id: str) -> User:
        """Return somebody. Raises NotFound."""
        return await self._store.user(user_id)

    async def anybody(self) -> bool:
        """Return whether there is any user yet."""
        return bool(await self._store.users())

    async def add(
        self, email: str, name: str, role: Role, password: str, *, by: Actor | None = None, first: bool = False
    ) -> User:
        """Return a new user. by None: they did it themselves. first: only where there is nobody yet.

        Raises Invalid for what cannot be taken, Conflict where the address is taken, or somebody is there.
        """
        user = await self._new(email, name, role, password)
        await self._store.add_user(user, self._joined(user, by), first=first)
        return user

    async def admit(self, invitation: Invitation, email: str, name: str, password: str) -> User:
        """Return who came by a link, a user from now on; the link is used up. Raises as `add`, and NotFound."""
        user = await self._new(email, name, invitation.role, password)
        await self._store.admit(invitation, user, self._joined(user, None))
        return user

    async def rename(self, user: User, name: str, by: Actor) -> User:
        """Return somebody under another name. Raises Invalid, or Conflict where somebody else changed them."""
        _refuse(_name_problems(name))
        renamed = replace(user, name=name.strip(), revision=user.revision + 1)
        return await self._save(user, renamed, EventType.USER_CHANGED, by)

    async def change(
        self, user: User, by: Actor, *, role: Role | None = None, disabled: bool | None = None, reason: str = ""
    ) -> User:
        """Return somebody in another role, or disabled, or enabled again; unchanged where that is so already.

        They are signed out everywhere. Raises Conflict where somebody else changed them,
        LastAdmin where no admin would be left.
        """
        was, becomes = user.disabled_at is not None, user.disabled_at is not None if disabled is None else disabled
        if (role or user.role, becomes) == (user.role, was):
            return user
        since = (user.disabled_at or self._clock.now()) if becomes else None
        after = replace(user, role=role or user.role, disabled_at=since, revision=user.revision + 1)
        kind = EventType.USER_CHANGED
        if becomes != was:
            kind = EventType.USER_DISABLED if becomes else EventType.USER_ENABLED
        return await self._save(user, after, kind, by, ends_sessions=True, reason=reason)

    async def set_password(self, user: User, password: str, *, invitation: Invitation | None = None) -> User:
        """Return somebody with a new password, their own choice, signed out everywhere; the link they used is used up.

        Raises Invalid for a password that cannot be taken, NotFound where the link was used meanwhile, Conflict.
        """
        fault = password_fault(password, user.email, user.name)
        _refuse([Problem("/password", fault)] if fault else [])
        hashed = await self._passwords.hash(password)
        changed = replace(user, password_hash=hashed, revision=user.revision + 1)
        how = "a new password, by a link" if invitation else "a new password"
        return await self._save(
            user, changed, EventType.USER_CHANGED, user.actor, ends_sessions=True, reason=how, invitation=invitation
        )

    async def _new(self, email: str, name: str, role: Role, password: str) -> User:
        address = normal_email(email)
        faults = {"/email": email_fault(email), "/password": password_fault(password, address, name)}
        _refuse([*_name_problems(name), *(Problem(pointer, fault) for pointer, fault in faults.items() if fault)])
        hashed = await self._passwords.hash(password)
        user_id = f"usr_{secrets.token_hex(_ID_BYTES)}"
        return User(user_id, address, name.strip(), role, hashed, self._clock.now())

    async def _save(
        self,
        before: User,
        after: User,
        kind: EventType,
        by: Actor,
        *,
        ends_sessions: bool = False,
        reason: str = "",
        invitation: Invitation | None = None,
    ) -> User:
        event = Event(
            kind, self._clock.now(), by, f"user/{after.id}", reason, before=user_facts(before), after=user_facts(after)
        )
        sessions = await self._sessions.of(after.id) if ends_sessions else ()
        await self._store.save_user(
            after, event, expected=before.revision, ends_sessions=ends_sessions, invitation=invitation
        )
        self._sessions.ended(sessions)
        return after

    def _joined(self, user: User, by: Actor | None) -> Event:
        facts = user_facts(user)
        return Event(EventType.USER_JOINED, self._clock.now(), by or user.actor, f"user/{user.id}", after=facts)


def user_facts(user: User) -> dict[str, object]:
    """Return what events tell of a user: nothing of the password."""
    return {"email": user.email, "name": user.name, "role": user.role, "disabled": user.disabled_at is not None}


def _name_problems(name: str) -> list[Problem]:
    stripped = name.strip()
    if 1 <= len(stripped) <= MAX_NAME and stripped.isprintable():
        return []
    return [Problem("/name", f"a name is 1 to {MAX_NAME} printable characters; say what others call you")]


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise Invalid("the user was refused; nothing was changed", problems)
