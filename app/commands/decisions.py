"""`holdfire decisions`: when each gate held, when it let go, why; and what those who asked were told."""

import asyncio
from collections.abc import Callable, Mapping, Sized
from dataclasses import asdict, replace
from enum import StrEnum
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

import httpx2
import typer

from app.clocks import SystemClock
from app.commands.options import KeyOption
from app.commands.output import USAGE, JsonFlag, fail, print_json, print_table
from app.errors import HoldfireError
from app.ports.decisions import DecisionRow
from app.services.decisions import Decisions
from app.services.replaying import replay_shape
from app.services.shapes import instant as shown
from app.settings import load_settings
from app.store.bundle import open_store

PAGE = 500

Item = dict[str, Any]
Result = TypeVar("Result")


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
    replay: Annotated[str | None, typer.Option(metavar="ID", help="Decide this one again instead.")] = None,
    json: JsonFlag = False,
) -> None:
    """List the decision log, oldest first; or decide one again, exit code 1 when it does not come out the same."""
    if url and data_dir:
        fail("a running server has its own data: give --url or --data-dir, not both", USAGE)
    if replay:
        _print_replay(_fetched(lambda: _one(url, key, data_dir, replay)), json=json)
        return
    wanted = {name: str(value) for name, value in (("gate", gate), ("kind", kind)) if value}
    items = _fetched(
        lambda: _from_server(url, key, wanted, limit) if url else asyncio.run(_from_database(data_dir, wanted, limit))
    )
    items.reverse()
    if json:
        print_json({"items": items})
        return
    rows = [(one["at"], one["gate"], one["before"] or one["kind"], one["state"], one["summary"]) for one in items]
    print_table(("At", "Gate", "Before", "State", "Why"), rows)


def _fetched(fetch: Callable[[], Result]) -> Result:
    """Return what was fetched; end with a sentence when it cannot be."""
    try:
        return fetch()
    except (HoldfireError, OSError, httpx2.HTTPError, httpx2.InvalidURL) as fault:
        fail(fault)


def _print_replay(item: Item, *, json: bool) -> None:
    replayed, same = item["replay"], item["replay"] and item["replay"]["same"]
    if json:
        print_json(item)
    elif same:
        print(f"{item['id']} comes out the same: {item['state']}, {item['summary']}")
    if replayed is None:
        fail(f"{item['id']} cannot be decided again: {item['not_replayed']}")
    if not same:
        differs = ", ".join(replayed["differs"])
        fail(f"{item['id']} was {item['state']} and comes out as {replayed['state']}; not the same: {differs}")


def _one(url: str | None, key: str | None, data_dir: str | None, decision_id: str) -> Item:
    if not url:
        return asyncio.run(_reviewed(data_dir, decision_id))
    with _client(url, key) as client:
        return _body(url, client.get(f"/api/v1/decisions/{quote(decision_id, safe='')}"), {"id", "replay"})


async def _reviewed(data_dir: str | None, decision_id: str) -> Item:
    async with open_store(load_settings({"data_dir": data_dir}).resolved_database_url, SystemClock()) as store:
        row, replayed, why_not = await Decisions(store.decisions).get(decision_id)
    return _shape(row) | {"replay": replayed and replay_shape(replayed), "not_replayed": why_not}


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
    items: list[Item] = []
    with _client(url, key) as client:
        while size := _page_size(limit, items):
            listed = client.get("/api/v1/decisions", params={**query, "limit": str(size)})
            page = _body(url, listed, {"items", "next_cursor"})
            items += page["items"]
            if page["next_cursor"] is None:
                break
            query["cursor"] = page["next_cursor"]
    return items


def _page_size(limit: int | None, found: Sized) -> int:
    return PAGE if limit is None else min(PAGE, limit - len(found))


def _client(url: str, key: str | None) -> httpx2.Client:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx2.Client(base_url=url, headers=headers, timeout=30.0)


def _body(url: str, response: httpx2.Response, members: set[str]) -> Item:
    """Return the JSON object of an answer that has these members. Raises HoldfireError for any other answer."""
    try:
        body = response.json()
    except ValueError:
        body = None
    if response.is_success and isinstance(body, dict) and members <= body.keys():
        return body
    detail = body.get("detail") if isinstance(body, dict) else None
    raise HoldfireError(f"{url} answered {response.status_code}: {detail or 'not as holdfire does'}")


def _shape(row: DecisionRow) -> Item:
    """Return a row with the members that GET /api/v1/decisions gives it."""
    shape = asdict(replace(row, kept=None, facts=None))
    del shape["kept"], shape["facts"]
    shape["state"] = shape.pop("verdict")
    shape["at"], shape["last_at"] = shown(row.at), row.last_at and shown(row.last_at)
    return shape
