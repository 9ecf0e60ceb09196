"""`holdfire keys`: make, list and revoke API keys; a server that runs sees the change within seconds."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, TypeVar

import typer

from app.clocks import SystemClock
from app.commands.actor import local_actor
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.core.client_profile import PLAIN
from app.errors import HoldfireError, Invalid
from app.ports.keys import SCOPES, ApiKey
from app.services.key_shapes import key_shape
from app.services.keys import Keys
from app.services.profiles import changed_profile
from app.services.shapes import instant
from app.settings import load_settings
from app.store.bundle import open_store

keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
Result = TypeVar("Result")

_UNITS = {"m": 60, "h": 3600, "d": 86_400}
_DIGITS = 4


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it, for example 'spring campaign tool'.")],
    scope: Annotated[list[str], typer.Option(help=f"May be given several times: {', '.join(SCOPES)}.")],
    env: Annotated[str, typer.Option(help="Shown in the key, like live or test.")] = "live",
    expires_in: Annotated[str | None, typer.Option(help="Like 90d, 12h or 30m. Default: never.")] = None,
    hold_status: Annotated[int, typer.Option(help="Status of hold: 429, 503, 404 or 200.")] = PLAIN.hold_status,
    unknown_status: Annotated[
        int, typer.Option(help="Status of what cannot be known: 503, 429, 404 or 200.")
    ] = PLAIN.unknown_status,
    retry_after_unit: Annotated[str, typer.Option(help="What Retry-After counts: s or ms.")] = PLAIN.retry_after_unit,
    max_rps: Annotated[float | None, typer.Option(help="At most so many requests per second. Default: any.")] = None,
    json: JsonFlag = False,
) -> None:
    """Make a key and print it, this once: only a hash of it is kept."""
    expires_at = None if expires_in is None else SystemClock().now() + _span(expires_in)
    given = {
        "hold_status": hold_status,
        "unknown_status": unknown_status,
        "retry_after_unit": retry_after_unit,
        "max_rps": max_rps,
    }

    async def make(keys: Keys) -> tuple[ApiKey, str]:
        profile = changed_profile(PLAIN, given)
        return await keys.create(name, scope, env, expires_at, profile=profile, actor=local_actor())

    key, token = _with_keys(make)
    if json:
        print_json(key_shape(key) | {"key": token})
        return
    print(token)
    typer.echo(f"Key {key.id} for {key.name}: {', '.join(sorted(key.scopes))}. It cannot be shown again.", err=True)


@keys.command("list")
def list_keys(json: JsonFlag = False) -> None:
    """List all keys without their secrets, revoked ones too."""
    found = _with_keys(lambda keys: keys.all())
    if json:
        print_json([key_shape(key) for key in found])
        return
    rows = [
        (
            key.id,
            key.name,
            " ".join(sorted(key.scopes)),
            *map(instant, (key.created_at, key.expires_at, key.revoked_at)),
        )
        for key in found
    ]
    print_table(("Id", "Name", "Scopes", "Made", "Expires", "Revoked"), rows)


@keys.command()
def revoke(key_id: Annotated[str, typer.Argument(help="The key's id.")], json: JsonFlag = False) -> None:
    """Revoke a key; again: no change."""
    key = _with_keys(lambda keys: keys.revoke(key_id, actor=local_actor()))
    if json:
        print_json(key_shape(key))
    else:
        print(f"key {key.id} ({key.name}) is revoked since {instant(key.revoked_at)}")


def _with_keys(use: Callable[[Keys], Awaitable[Result]]) -> Result:
    """Return what `use` gives for the keys of the configured database; end with a sentence on any fault."""

    async def run() -> Result:
        clock = SystemClock()
        async with open_store(load_settings().resolved_database_url, clock) as store:
            return await use(Keys(store.keys, clock))

    try:
        return asyncio.run(run())
    except Invalid as fault:
        fail("; ".join([str(fault), *(problem.detail for problem in fault.problems)]), USAGE)
    except (HoldfireError, OSError) as fault:
        fail(fault)


def _span(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    good = unit in _UNITS and number.isascii() and number.isdigit() and len(number) <= _DIGITS and int(number)
    if not good:
        fail(f"--expires-in={text} must be a number of 1 to {_DIGITS} digits and a unit, like 90d, 12h or 30m", USAGE)
    return timedelta(seconds=int(number) * _UNITS[unit])
