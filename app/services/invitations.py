"""Links that let somebody in once. holdfire sends no mail: who makes a link hands it over."""

import secrets
from collections.abc import Mapping, Sequence

from app.core.access import Role
from app.core.account.email import email_fault, normal_email
from app.core.account.invitation import GOOD_FOR, Invitation, Purpose, token_digest
from app.core.event import HOLDFIRE, Actor, Event, EventType
from app.core.problem import Problem
from app.errors import Conflict, Invalid, NotFound
from app.ports.clock import Clock
from app.ports.users import InvitationStore, User, UserStore

TOKEN_BYTES, _ID_BYTES = 32, 8


class Invitations:
    """Makes links, tells whether one is good, withdraws them. A link's token is shown once; its SHA-256 is kept."""

    def __init__(self, store: InvitationStore, users: UserStore, clock: Clock) -> None:
        self._store, self._users, self._clock = store, users, clock

    async def all(self) -> Sequence[Invitation]:
        """Return all links that are still good and name somebody, newest first."""
        return [one for one in await self._store.invitations(self._clock.now()) if one.purpose is not Purpose.SETUP]

    async def set_up(self) -> str | None:
        """Return the token by which the first admin is made; None when there is any user. The one before is void."""
        if await self._users.users():
            return None
        made, token = self._new(Purpose.SETUP, Role.ADMIN, HOLDFIRE)
        await self._store.add_invitation(made, None)
        return token

    async def invite(self, email: str, role: Role, by: Actor) -> tuple[Invitation, str]:
        """Return an invitation and its token. One for the same address that is still open is void from now on.

        Raises Invalid for what is no address, Conflict for a user's.
        """
        if fault := email_fault(email):
            raise Invalid("the invitation was refused; nothing was made", [Problem("/email", fault)])
        address = normal_email(email)
        if await self._users.user_of(address) is not None:
            raise Conflict(f"{address} is a user already; change their role, or make them a link to a new password")
        made, token = self._new(Purpose.JOIN, role, by, email=address)
        after = {"email": address, "role": role, "expires_at": made.expires_at.isoformat()}
        await self._store.add_invitation(made, self._event(EventType.USER_INVITED, by, made, after))
        return made, token

    async def reset(self, user: User, by: Actor) -> tuple[Invitation, str]:
        """Return a link by which somebody chooses a new password, and its token. Raises Conflict for the disabled."""
        if user.disabled_at is not None:
            raise Conflict(f"{user.email} is disabled; enable them first")
        made, token = self._new(Purpose.RESET, user.role, by, email=user.email, user_id=user.id)
        after = {"email": user.email, "expires_at": made.expires_at.isoformat()}
        await self._store.add_invitation(made, self._event(EventType.USER_RESET, by, made, after))
        return made, token

    async def withdraw(self, invitation_id: str, by: Actor) -> Invitation:
        """Return a link that is void from now on. Raises NotFound."""
        subject = f"invitation/{invitation_id}"
        return await self._store.withdraw(
            invitation_id, Event(EventType.USER_UNINVITED, self._clock.now(), by, subject)
        )

    async def find(self, purpose: Purpose, token: str) -> Invitation:
        """Return what a link is for. Raises NotFound: used, withdrawn, past its time, unknown, or set up already."""
        found = await self._store.invitation(token_digest(token))
        if found is None or not found.is_good(purpose, self._clock.now()) or await self._is_void(found):
            raise NotFound("this link is not good any more: it was used or withdrawn, or its time is over")
        return found

    async def _is_void(self, found: Invitation) -> bool:
        if found.purpose is Purpose.SETUP:
            return bool(await self._users.users())
        return found.user_id is not None and (await self._users.user(found.user_id)).disabled_at is not None

    def _new(
        self, purpose: Purpose, role: Role, by: Actor, *, email: str = "", user_id: str | None = None
    ) -> tuple[Invitation, str]:
        now, token = self._clock.now(), secrets.token_urlsafe(TOKEN_BYTES)
        made = Invitation(
            id=f"inv_{secrets.token_hex(_ID_BYTES)}",
            token_sha256=token_digest(token),
            purpose=purpose,
            role=role,
            made_by=by.name,
            created_at=now,
            expires_at=now + GOOD_FOR[purpose],
            email=email,
            user_id=user_id,
        )
        return made, token

    def _event(self, kind: EventType, by: Actor, made: Invitation, after: Mapping[str, object]) -> Event:
        subject = f"user/{made.user_id}" if made.user_id else f"invitation/{made.id}"
        return Event(kind, self._clock.now(), by, subject, after=after)
