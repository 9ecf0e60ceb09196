"""`holdfire decisions`: when each gate held, when it let go, why; and what those who asked were told."""

import asyncio
from collections.abc import Mapping, Sized
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any

import httpx2
import typer

from app.clocks import SystemClock
from app.commands.ask import KeyOption
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.errors import HoldfireError
from app.ports import DecisionRow
from app.services.decisions import Decisions
from app.services.shapes import instant as shown
from app.settings import load_settings
from app.store.bundle import open_store

PAGE = 500

Item = dict[str, Any]


class Kind(StrEnum):
    """What a line of the log can be."""

    TRANSITION = "transition"
    ASKED = "asked"


def decisions(
    data_dir: Annotated[str | None, typer.Option(help="Folder of the embedded database.")] = None,
    url: Annotated[str | None, typer.Option(help="Ask this running server instead.")] = None,
    key: KeyOption = None,
    gate: Annotated[str | None, typer.Option(help="Of this gate only.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="transition: held or released; asked: who was told.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the newest so many; all by default.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the decision log, oldest first."""
    if url and data_dir:
        fail("a running server has its own data: give --url or --data-dir, not both", USAGE)
    wanted = {name: str(value) for name, value in (("gate", gate), ("kind", kind)) if value}
    try:
        items = _from_server(url, key, wanted, limit) if url else asyncio.run(_from_database(data_dir, wanted, limit))
    except (HoldfireError, OSError, httpx2.HTTPError, httpx2.InvalidURL) as fault:
        fail(fault)
    items.reverse()
    if json:
        print_json({"items": items})
        return
    rows = [(one["at"], one["gate"], one["before"] or one["kind"], one["state"], one["summary"]) for one in items]
    print_table(("At", "Gate", "Before", "State", "Why"), rows)


async def _from_database(data_dir: str | None, wanted: Mapping[str, str], limit: int | None) -> list[Item]:
    settings = load_settings({"data_dir": data_dir})
    found: list[DecisionRow] = []
    async with open_store(settings.resolved_database_url, SystemClock()) as store:
        while size := _page_size(limit, found):
            before = (found[-1].at, found[-1].id) if found else None
            page = await Decisions(store.decisions).page(
                gate=wanted.get("gate"), kind=wanted.get("kind"), before=before, limit=size
            )
            found += page
            if len(page) < size:
                break
    return [_shape(row) for row in found]


def _from_server(url: str, key: str | None, wanted: Mapping[str, str], limit: int | None) -> list[Item]:
    query = dict(wanted)
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    items: list[Item] = []
    with httpx2.Client(base_url=url, headers=headers, timeout=30.0) as client:
        while size := _page_size(limit, items):
            page = _body(url, client.get("/api/v1/decisions", params={**query, "limit": str(size)}))
            items += page["items"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
    return items


def _page_size(limit: int | None, found: Sized) -> int:
    return PAGE if limit is None else min(PAGE, limit - len(found))


def _body(url: str, response: httpx2.Response) -> Item:
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, dict) and {"items", "next_cursor"} <= body.keys():
        return body
    detail = body.get("detail") if isinstance(body, dict) else None
    raise HoldfireError(f"{url} answered {response.status_code}: {detail or 'not as holdfire does'}")


def _shape(row: DecisionRow) -> Item:
    """Return a row with the members that GET /api/v1/decisions gives it."""
    shape = asdict(row)
    shape["state"] = shape.pop("verdict")
    shape["at"], shape["last_at"] = shown(row.at), row.last_at and shown(row.last_at)
    return shape
