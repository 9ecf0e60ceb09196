"""The services by which people sign in."""

from dataclasses import dataclass

from app.ports.clock import Clock
from app.services.accounts import Accounts
from app.services.invitations import Invitations
from app.services.passwords import Passwords
from app.services.sessions import Sessions
from app.services.sign_ins import SignIns
from app.services.throttle import Throttle
from app.settings import Settings
from app.store.bundle import Store
from app.store.invitations import SqlInvitations
from app.store.sessions import SqlSessions
from app.store.users import SqlUsers


@dataclass(frozen=True, slots=True)
class PeopleServices:
    """The services by which people sign in."""

    sessions: Sessions
    accounts: Accounts
    invitations: Invitations
    sign_ins: SignIns


def people_services(
    settings: Settings, clock: Clock, store: Store, passwords: Passwords | None = None
) -> PeopleServices:
    """Return them over a store. passwords: how they are hashed, at today's costs by default."""
    users, passwords = SqlUsers(store.database), passwords or Passwords()
    sessions = Sessions(SqlSessions(store.database), clock, settings.session_hours, settings.session_idle_hours)
    return PeopleServices(
        sessions,
        Accounts(users, sessions, passwords, clock),
        Invitations(SqlInvitations(store.database), users, clock),
        SignIns(users, sessions, passwords, throttle=Throttle(), log=store.events, clock=clock),
    )
