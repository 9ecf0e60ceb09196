"""`holdfire config`, `migrate`, `openapi`, `doctor`: looking after an installation."""

import asyncio
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from app.clocks import SystemClock
from app.commands.moving import move_and_tell
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.commands.senders import try_sender
from app.commands.sources import try_over_the_line
from app.core.gate.policy import default_policy_document
from app.errors import HoldfireError, Invalid
from app.main import create_app
from app.masking import masked
from app.postfix.table import policy_table
from app.settings import PREFIX, Settings, load_settings
from app.store.bundle import Store, open_store
from app.store.migrate import migrate as migrate_database
from app.stream.nats.stream import Place
from app.stream.places import place_of, try_place
from workers.supervisor import background_for
from workers.systems.plain import readable_secrets

config = typer.Typer(no_args_is_help=True, help="Show and check the settings.")

END_OF_TIME = datetime.max.replace(tzinfo=UTC)
SECRET_SETTINGS = frozenset({"database_url", "stream_url"})


@config.command()
def show(json: JsonFlag = False) -> None:
    """Print every setting as it is in force, and the policy that a new installation's default gate starts with."""
    settings = _load()
    values = {name: _shown(name, value) for name, value in settings.model_dump(mode="json").items()}
    values["database_url"] = _shown("database_url", settings.resolved_database_url)
    if json:
        print_json({"settings": values, "default_policy": default_policy_document()})
        return
    meanings = {name: field.description for name, field in Settings.model_fields.items()}
    rows = [(f"{PREFIX}{name.upper()}", value, meanings[name]) for name, value in values.items()]
    print_table(("Setting", "Value", "Meaning"), rows)
    print("\nDefault policy of the gate 'default':")
    print_json(default_policy_document())


@config.command("check")
def check_config() -> None:
    """Check every setting, source, sender and rule without starting anything. Exit 0 when all is well.

    Warns of secrets that would go over a network unencrypted.
    """
    settings = _load()
    try:
        background_for(settings)
        if settings.postfix_policy:
            policy_table(settings.postfix_policy)
    except Invalid as fault:
        fail(fault, USAGE)
    for warning in readable_secrets(settings):
        print(f"warning: {warning}", file=sys.stderr)
    print("settings are fine")


def migrate(
    source: Annotated[str | None, typer.Option("--from", help="Move all of this database instead, a URL …")] = None,
    target: Annotated[str | None, typer.Option("--to", help="… into this one, which must be empty.")] = None,
    json: JsonFlag = False,
) -> None:
    """Bring the database to this version's schema, as `serve` does at start; or move it all into another database.

    Where only one of --from and --to is given, HOLDFIRE_DATABASE_URL is the other one.
    """
    url = _load().resolved_database_url
    if source is not None or target is not None:
        move_and_tell(url if source is None else source, url if target is None else target, as_json=json)
        return
    try:
        version = migrate_database(url)
    except (HoldfireError, OSError) as fault:
        fail(fault)
    if json:
        print_json({"schema": version})
    else:
        print(f"database is at {version}")


def openapi() -> None:
    """Print the OpenAPI document of the HTTP API."""
    print_json(create_app(Settings()).openapi())


def doctor(
    source: Annotated[
        str | None, typer.Option("--source", help="Try one source instead: connect, show a reading, change nothing.")
    ] = None,
    sender: Annotated[
        str | None, typer.Option("--sender", help="Try one sender instead: ask how --campaign stands, change nothing.")
    ] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", help="With --sender: the tool's own campaign id.")
    ] = None,
    json: JsonFlag = False,
) -> None:
    """Try what holdfire needs: settings, database, a durable write's way, the last evaluation. Exit 1 if one fails."""
    if source is not None:
        try_over_the_line(source, json=json)
        return
    if sender is not None:
        try_sender(sender, campaign, json=json)
        return
    findings = asyncio.run(_examine())
    if json:
        print_json(findings)
    else:
        print_table(
            ("Check", "Result", "Detail"), [(f["check"], "ok" if f["ok"] else "FAILED", f["detail"]) for f in findings]
        )
    if not all(finding["ok"] for finding in findings):
        raise typer.Exit(1)


async def _examine() -> list[dict[str, Any]]:
    try:
        settings = load_settings()
        background_for(settings)
    except Invalid as fault:
        return [_finding("settings", str(fault), ok=False)]
    findings = [
        _finding("settings", f"{len(settings.sources)} sources and {len(settings.senders)} senders configured", ok=True)
    ]
    try:
        async with open_store(settings.resolved_database_url, SystemClock()) as store:
            gates = await store.gates.gates()
            findings.append(_finding("database", f"opened, schema current, {len(gates)} gates", ok=True))
            without = [gate for gate in gates if await store.gates.policy(gate) is None]
            detail = f"without a policy, so unknown: {', '.join(without)}" if without else "every gate has one"
            findings.append(_finding("policies", detail, ok=not without))
            keys = await store.keys.keys()
            usable = settings.auth == "off" or any(key.revoked_at is None for key in keys)
            detail = f"{len(keys)} keys" if usable else "none; create one with 'holdfire keys create'"
            findings.append(_finding("keys", detail, ok=usable))
            checkpoint = await store.evaluation.checkpoint()
            detail = f"last written for {checkpoint.evaluated_at.isoformat()}" if checkpoint else "none yet"
            findings.append(_finding("evaluation", detail, ok=True))
            if (place := place_of(settings)) is not None:
                findings.append(await _examine_stream(place, store))
    except (HoldfireError, OSError) as fault:
        findings.append(_finding("database", str(fault), ok=False))
    return findings


async def _examine_stream(place: Place, store: Store) -> dict[str, Any]:
    try:
        head = await try_place(place)
    except HoldfireError as fault:
        return _finding("stream", str(fault), ok=False)
    waiting = max(head - await store.written.position_before(END_OF_TIME), 0)
    return _finding("stream", f"{place.address.shown}, {waiting:,} records of it not in the database yet", ok=True)


def _finding(check: str, detail: str, *, ok: bool) -> dict[str, Any]:
    return {"check": check, "ok": ok, "detail": detail}


def _load() -> Settings:
    try:
        return load_settings()
    except Invalid as fault:
        fail(fault, USAGE)


def _shown(name: str, value: Any) -> Any:
    if name in SECRET_SETTINGS and isinstance(value, str) and "@" in value:
        scheme, _, rest = value.partition("://")
        return f"{scheme}://***@{rest.rpartition('@')[2]}"
    return masked(value, name) if name in {"sources", "senders", "postfix_policy"} else value
