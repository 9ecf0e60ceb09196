"""`holdfire users`: invite, add, list and disable people; a server that runs sees the change at once."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Annotated, TypeVar

import typer

from app.clocks import SystemClock
from app.commands.actor import local_actor
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.core.access import MEANING_OF, Role
from app.core.account.email import normal_email
from app.core.account.invitation import Invitation, link_path
from app.errors import HoldfireError, Invalid, NotFound
from app.ports.users import User
from app.services.people_shapes import invitation_shape, user_shape
from app.services.shapes import instant
from app.settings import Settings, load_settings
from app.store.bundle import open_store
from app.wiring.people import PeopleServices, people_services

users = typer.Typer(no_args_is_help=True, help="Invite, add, list and disable people who sign in.")
Result = TypeVar("Result")

ROLES = "; ".join(f"{role}: {meaning}" for role, meaning in MEANING_OF.items())
EmailArgument = Annotated[str, typer.Argument(help="Their email address.")]


@users.command()
def create(
    email: Annotated[str, typer.Option(help="Their email address, with which they sign in.")],
    role: Annotated[Role, typer.Option(help=ROLES)],
    name: Annotated[str, typer.Option(help="What others call them; default: what is before the @.")] = "",
    password_stdin: Annotated[
        bool, typer.Option(help="Read their password from standard input instead of inviting them.")
    ] = False,
    prompt: Annotated[bool, typer.Option(help="Ask for their password here instead of inviting them.")] = False,
    json: JsonFlag = False,
) -> None:
    """Print a link by which somebody joins, good for 7 days and once; or add them with a password at once."""
    if password_stdin or prompt:
        password = (
            _from_stdin() if password_stdin else typer.prompt("Password", hide_input=True, confirmation_prompt=True)
        )
        called = name or normal_email(email).partition("@")[0]
        user = _with_people(lambda people, _: people.accounts.add(email, called, role, password, by=local_actor()))
        if json:
            print_json(user_shape(user))
        else:
            print(f"{user.email} can sign in now, as {user.role}")
        return
    _print_link(_with_people(lambda people, settings: _invited(people, settings, email, role)), json=json)


@users.command("list")
def list_users(json: JsonFlag = False) -> None:
    """List everybody who may sign in, or was disabled, and who is invited."""

    async def all_of_them(people: PeopleServices, _: Settings) -> tuple[list[User], list[Invitation]]:
        return list(await people.accounts.all()), list(await people.invitations.all())

    found, invited = _with_people(all_of_them)
    if json:
        print_json({"users": [user_shape(user) for user in found], "invitations": [*map(invitation_shape, invited)]})
        return
    rows = [
        (user.email, user.name, user.role, *map(instant, (user.created_at, user.signed_in_at, user.disabled_at)))
        for user in found
    ]
    print_table(("Email", "Name", "Role", "Since", "Signed in last", "Disabled"), rows)
    if invited:
        links = [(link.email, link.purpose, link.role, link.made_by, instant(link.expires_at)) for link in invited]
        print_table(("Email", "Link to", "Role", "Made by", "Good until"), links, title="Links nobody used yet")


@users.command()
def disable(email: EmailArgument, json: JsonFlag = False) -> None:
    """Let somebody in no more; they are signed out everywhere within seconds. Again: no change."""

    async def end(people: PeopleServices, _: Settings) -> User:
        return await people.accounts.change(await _named(people, email), local_actor(), disabled=True)

    user = _with_people(end)
    if json:
        print_json(user_shape(user))
    else:
        print(f"{user.email} is disabled since {instant(user.disabled_at)}")


@users.command()
def reset(email: EmailArgument, json: JsonFlag = False) -> None:
    """Print a link by which somebody chooses a new password, good for 24 hours and once."""

    async def link(people: PeopleServices, settings: Settings) -> tuple[Invitation, str]:
        made, token = await people.invitations.reset(await _named(people, email), local_actor())
        return made, _url(settings, made, token)

    _print_link(_with_people(link), json=json)


async def _invited(people: PeopleServices, settings: Settings, email: str, role: Role) -> tuple[Invitation, str]:
    made, token = await people.invitations.invite(email, role, local_actor())
    return made, _url(settings, made, token)


async def _named(people: PeopleServices, email: str) -> User:
    address = normal_email(email)
    found = next((user for user in await people.accounts.all() if user.email == address), None)
    if found is None:
        raise NotFound(f"there is no user {address!r}; 'holdfire users list' lists them")
    return found


def _url(settings: Settings, made: Invitation, token: str) -> str:
    address = settings.public_url or f"http://{settings.host}:{settings.port}"
    return address + link_path(made.purpose, token)


def _print_link(made: tuple[Invitation, str], *, json: bool) -> None:
    invitation, url = made
    if json:
        print_json(invitation_shape(invitation) | {"link": url})
        return
    print(url)
    until = instant(invitation.expires_at)
    typer.echo(f"Hand it to {invitation.email}: good once, until {until}. It cannot be shown again.", err=True)


def _from_stdin() -> str:
    return sys.stdin.readline().removesuffix("\n").removesuffix("\r")


def _with_people(use: Callable[[PeopleServices, Settings], Awaitable[Result]]) -> Result:
    """Return what `use` gives for the people of the configured database; end with a sentence on any fault."""

    async def run() -> Result:
        settings, clock = load_settings(), SystemClock()
        async with open_store(settings.resolved_database_url, clock) as store:
            return await use(people_services(settings, clock, store), settings)

    try:
        return asyncio.run(run())
    except Invalid as fault:
        fail("; ".join([str(fault), *(problem.detail for problem in fault.problems)]), USAGE)
    except (HoldfireError, OSError) as fault:
        fail(fault)
