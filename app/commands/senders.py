"""`holdfire doctor --sender`: how a campaign stands in an email tool, before holdfire is to drive it."""

import asyncio
from typing import Any

import typer

from app.commands.output import USAGE, fail, print_json, print_table
from app.core.sending.standing import Standing
from app.errors import Invalid, NotFound
from app.ports.senders import SenderFault
from app.settings import load_settings
from workers.senders.registry import Configured, configured


def try_sender(name: str, campaign: str | None, *, json: bool) -> None:
    """Ask a sender how one of its campaigns stands, change nothing. Exit 1 with a sentence when it cannot be told."""
    try:
        sender = _find(name)
    except (Invalid, NotFound) as fault:
        fail(fault, USAGE)
    if campaign is None:
        fail(Invalid(f"--sender {name} needs --campaign: the id that a campaign has in that tool"), USAGE)
    standing: Standing | None = None
    detail = "it answers, and nothing was changed"
    try:
        standing = asyncio.run(_ask(sender, campaign))
    except SenderFault as fault:
        detail = str(fault)
    shown = _shown(sender, campaign, standing)
    if json:
        print_json(shown | {"ok": standing is not None, "detail": detail})
    else:
        print_table(("What", "It says"), [(key.replace("_", " "), value) for key, value in shown.items()])
        print(f"{name}: {detail}")
    if standing is None:
        raise typer.Exit(1)


def _find(name: str) -> Configured:
    senders = configured(load_settings().senders)
    if name not in senders:
        known = ", ".join(sorted(senders)) or "none"
        raise NotFound(f"no sender is called {name!r} in [[senders]] of holdfire.toml; there are: {known}")
    return senders[name]


async def _ask(configured_sender: Configured, campaign: str) -> Standing:
    sender = configured_sender.make()
    try:
        return await sender.status(campaign)
    finally:
        await sender.close()


def _shown(sender: Configured, campaign: str, standing: Standing | None) -> dict[str, Any]:
    can_pause = sender.make().abilities.can_pause
    shown: dict[str, Any] = {"sender": sender.name, "type": sender.kind, "can_pause": can_pause, "campaign": campaign}
    if standing is not None:
        shown |= {"state": standing.state.value, "sent": standing.sent, "target": standing.target}
    return shown
