"""The first admin of a new installation: made as the settings say, or invited by a link that `serve` prints."""

import asyncio
from contextlib import suppress

from app.clocks import SystemClock
from app.commands.output import USAGE, fail
from app.core.access import Role
from app.core.account.invitation import Purpose, link_path
from app.core.event import HOLDFIRE
from app.errors import Conflict, HoldfireError, Invalid
from app.settings import Settings
from app.store.bundle import open_store
from app.wiring.people import people_services


def prepare_first_admin(settings: Settings) -> str | None:
    """Return the path of a fresh setup link, good for an hour; None where sign-in is off, or somebody may sign in.

    Where HOLDFIRE_ADMIN_EMAIL is set, that admin is made instead. Ends with a sentence where that cannot be.
    """
    if settings.auth == "off":
        return None
    try:
        return asyncio.run(_prepare(settings))
    except Invalid as fault:
        problems = (problem.detail for problem in fault.problems)
        fail("; ".join(["the first admin cannot be made, as HOLDFIRE_ADMIN_… say", *problems]), USAGE)
    except (HoldfireError, OSError) as fault:
        fail(fault)


async def _prepare(settings: Settings) -> str | None:
    clock = SystemClock()
    async with open_store(settings.resolved_database_url, clock) as store:
        people = people_services(settings, clock, store)
        token = await people.invitations.set_up()
        if token is None:
            return None
        if not settings.admin_email:
            return link_path(Purpose.SETUP, token)
        name, password = settings.admin_email.partition("@")[0], settings.admin_password.get_secret_value()
        with suppress(Conflict):  # another process was quicker
            await people.accounts.add(settings.admin_email, name, Role.ADMIN, password, by=HOLDFIRE, first=True)
        return None


def setup_lines(url: str, path: str) -> str:
    """Return what is printed about a setup link."""
    return (
        f"holdfire: nobody can sign in yet. Become the first admin here, within an hour and once:\n"
        f"  {url}{path}\n"
        f"  (a new link is printed at each start until somebody has used one)"
    )
