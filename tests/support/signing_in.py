"""Signing in without a server: the services over memory, with hashes that cost next to nothing."""

from collections.abc import Sequence

from argon2 import PasswordHasher

from app.core.access import Role
from app.core.event import Event, EventType
from app.ports.events import WrittenEvent
from app.ports.users import User
from app.services.accounts import Accounts
from app.services.invitations import Invitations
from app.services.passwords import Passwords
from app.services.sessions import Sessions
from app.services.sign_ins import SignIns
from app.services.throttle import Throttle
from tests.support.builders import NOW
from tests.support.memory import SteppedClock
from tests.support.memory_people import MemoryPeople

PASSWORD = "four words in a row"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HOUR = 3600


class MemoryLog:
    """The one thing of the event log that signing in needs; what was written goes beside that of the stores."""

    def __init__(self, events: list[Event]) -> None:
        self._events = events

    async def append(self, events: Sequence[Event]) -> Sequence[WrittenEvent]:
        self._events.extend(events)
        return ()


class CountingPasswords(Passwords):
    """Passwords that count how often they were compared."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.compared = 0

    async def matches(self, password: str, kept: str | None) -> bool:
        self.compared += 1
        return await super().matches(password, kept)


class House:
    """All services by which people sign in, over memory; the clock stands until a test moves it."""

    def __init__(self) -> None:
        self.clock = SteppedClock(NOW)
        self.people = MemoryPeople()
        self.passwords = CountingPasswords()
        self.throttle = Throttle()
        self.sessions = Sessions(self.people, self.clock, hours=12, idle_hours=4)
        self.accounts = Accounts(self.people, self.sessions, self.passwords, self.clock)
        self.invitations = Invitations(self.people, self.people, self.clock)
        self.sign_ins = SignIns(
            self.people,
            self.sessions,
            self.passwords,
            throttle=self.throttle,
            log=MemoryLog(self.people.events),  # type: ignore[arg-type]  # signing in only ever appends
            clock=self.clock,
        )

    async def add(self, email: str = "ann@example.com", role: Role = Role.ADMIN, name: str = "Ann") -> User:
        """Return a new user with the password of all."""
        return await self.accounts.add(email, name, role, PASSWORD)

    async def sign_in(
        self, email: str = "ann@example.com", password: str = PASSWORD, address: str = "192.0.2.1"
    ) -> str:
        """Return the id for the cookie of who signs in."""
        return (await self.sign_ins.sign_in(email, password, address=address, browser="Firefox on Linux"))[1]

    def told(self) -> list[EventType]:
        """Return the types of all events so far."""
        return [event.type for event in self.people.events]
