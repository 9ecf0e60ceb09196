"""People who may sign in, and where they are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from app.core.access import SCOPES_OF, Role
from app.core.account.invitation import Invitation
from app.core.event import Actor, Event
from app.errors import Conflict

PASSWORD = "password"


class LastAdmin(Conflict):
    """No admin who is not disabled would be left, and so nobody who could make another one."""


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who may sign in. email: normalised, and nobody else's. disabled_at: None for who is not disabled.

    provider: who vouches for them; so far always `password`, theirs, of which password_hash is the argon2 hash.
    revision counts the changes: 1, 2, …
    """

    id: str
    email: str
    name: str
    role: Role
    password_hash: str | None
    created_at: datetime
    provider: str = PASSWORD
    disabled_at: datetime | None = None
    signed_in_at: datetime | None = None
    revision: int = 1

    @property
    def actor(self) -> Actor:
        """Who events say it was."""
        return Actor(self.id, self.name)

    @property
    def scopes(self) -> frozenset[str]:
        """What they may do; nothing once disabled."""
        return SCOPES_OF[self.role] if self.disabled_at is None else frozenset()


class UserStore(Protocol):
    """People and the links that let them in. Each change is committed with its event, or not at all."""

    async def users(self) -> Sequence[User]:
        """Return everybody, disabled ones too, by email."""

    async def user(self, user_id: str) -> User:
        """Return somebody. Raises NotFound."""

    async def user_of(self, email: str) -> User | None:
        """Return who has a normalised address, None for nobody's."""

    async def add_user(self, user: User, event: Event, *, first: bool = False) -> None:
        """Add somebody. Raises Conflict where the address is taken; with `first` where anybody is there already."""

    async def admit(self, invitation: Invitation, user: User, event: Event) -> None:
        """Use up an invitation, or the setup link, and add who came by it.

        Raises NotFound where it is used up, or was withdrawn, meanwhile; Conflict as add_user does, for a setup link
        also where anybody is there already.
        """

    async def save_user(
        self, user: User, event: Event, *, expected: int, ends_sessions: bool, invitation: Invitation | None = None
    ) -> None:
        """Replace somebody, end all their sessions if asked to, use up a link if there is one.

        Raises NotFound for somebody, or a link, that is not there, Conflict unless `expected` is their present
        revision, LastAdmin where no admin who is not disabled would be left.
        """

    async def save_hash(self, user_id: str, former: str, password_hash: str) -> None:
        """Replace the hash of a password that stays the same, where `former` still is the one kept."""


class InvitationStore(Protocol):
    """Links that were handed out and not used yet, by the hash of their token: reading the database lets nobody in."""

    async def invitations(self, now: datetime) -> Sequence[Invitation]:
        """Return those that are still good, newest first."""

    async def invitation(self, token_sha256: bytes) -> Invitation | None:
        """Return the one of a token, also one that is past its time; None when there is none."""

    async def add_invitation(self, invitation: Invitation, event: Event | None) -> None:
        """Add one; those for the same purpose and person, and all that are past their time, are gone with it."""

    async def withdraw(self, invitation_id: str, event: Event) -> Invitation:
        """Delete one and return it. Raises NotFound."""
