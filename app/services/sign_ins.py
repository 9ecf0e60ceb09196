"""Signing in with an email address and a password: the same work and the same sentence, whether there is such a user.

What is tried is counted (app.services.throttle), and written down with who it was tried for, never with the password.
"""

from app.core.account.email import normal_email
from app.core.account.password import MOST
from app.core.event import Actor, Event, EventType
from app.errors import HoldfireError
from app.ports.clock import Clock
from app.ports.events import EventLog
from app.ports.users import User, UserStore
from app.services.passwords import Passwords
from app.services.sessions import Sessions
from app.services.throttle import Throttle

NOBODY = Actor("nobody", "somebody not signed in")
UNKNOWN = "user/unknown"


class NotSignedIn(HoldfireError):
    """The address and the password do not go together, or nobody may sign in with them."""

    def __init__(self) -> None:
        super().__init__("this email address and password do not go together, or nobody may sign in with them")


class SignIns:
    """Lets people in who know their password, and asks who is in for it again before something grave."""

    def __init__(
        self,
        users: UserStore,
        sessions: Sessions,
        passwords: Passwords,
        *,
        throttle: Throttle,
        log: EventLog,
        clock: Clock,
    ) -> None:
        self._users, self._sessions, self._passwords = users, sessions, passwords
        self._throttle, self._log, self._clock = throttle, log, clock

    async def sign_in(
        self, email: str, password: str, *, address: str, browser: str, replaces: str | None = None
    ) -> tuple[User, str]:
        """Return who signed in and the new session's id for the cookie; the one it `replaces` is worthless then.

        address: where the request came from. Raises NotSignedIn, or TooManyTries without having looked at anything.
        """
        account = normal_email(email)
        self._begin(account, address)
        user = await self._users.user_of(account)
        if not await self._is_right(user, password) or user is None:
            await self._note_refusal(user, "disabled" if user and user.disabled_at else "wrong address or password")
            raise NotSignedIn
        self._throttle.succeed(account, address)
        return user, await self._let_in(user, browser, replaces, "by password")

    async def let_in(self, user: User, browser: str, how: str, *, replaces: str | None = None) -> str:
        """Return the id of a new session of somebody who came by a link, or has just changed their password."""
        self._throttle.forget(user.email)
        return await self._let_in(user, browser, replaces, how)

    async def confirm(self, user: User, password: str, *, address: str) -> None:
        """Return if this is the password of who is signed in. Raises NotSignedIn or TooManyTries as sign_in does."""
        self._begin(user.email, address)
        if not await self._is_right(user, password):
            await self._note_refusal(user, "wrong password when asked again")
            raise NotSignedIn
        self._throttle.succeed(user.email, address)

    def _begin(self, account: str, address: str) -> None:
        self._throttle.begin(account, address, self._clock.now())

    async def _is_right(self, user: User | None, password: str) -> bool:
        kept = user.password_hash if user and user.disabled_at is None else None
        right = await self._passwords.matches(password[: MOST + 1], kept)
        if right and user and kept and self._passwords.is_outdated(kept):
            await self._users.save_hash(user.id, kept, await self._passwords.hash(password))
        return right

    async def _let_in(self, user: User, browser: str, replaces: str | None, how: str) -> str:
        now = self._clock.now()
        event = Event(EventType.SESSION_STARTED, now, user.actor, f"user/{user.id}", how, after={"browser": browser})
        _, cookie = await self._sessions.begin(user, browser, event, replaces=replaces)
        return cookie

    async def _note_refusal(self, user: User | None, reason: str) -> None:
        subject = f"user/{user.id}" if user else UNKNOWN
        await self._log.append([Event(EventType.SESSION_REFUSED, self._clock.now(), NOBODY, subject, reason)])
