"""`holdfire watch`: a gate's verdict, reasons and queues, live in a terminal."""

import asyncio
import json
import sys
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from app.commands.options import DEFAULT_URL, EXIT_CODES, GateOption, KeyOption, UrlOption
from app.commands.output import JsonFlag, fail
from app.commands.talking import until_signalled
from app.commands.watch_screen import line, screen, standing
from app.commands.watch_socket import Heard, Unwatchable, listen

REDRAWN_PER_SECOND = 4

OnceFlag = Annotated[bool, typer.Option("--once", help="Print what is so now, and exit by it as `check` does.")]


def watch(
    gate: GateOption = "default",
    url: UrlOption = DEFAULT_URL,
    key: KeyOption = None,
    once: OnceFlag = False,
    json: JsonFlag = False,
) -> None:
    """Show a gate live: on a terminal the whole screen, in a pipe a line for each change, with --json each frame."""
    work = _once(gate, url, key, as_json=json) if once else _follow(gate, url, key, as_json=json)
    try:
        until_signalled(work)
    except Unwatchable as fault:
        fail(fault)


async def _once(gate: str, url: str, key: str | None, *, as_json: bool) -> None:
    """Print the first frame, and end by it; end with 1 where there is none."""
    async for heard in listen(url, key, gate):
        if heard.frame is None:
            fail(f"{heard.trouble}; is holdfire running there? --url or HOLDFIRE_URL says where to ask")
        seen = standing(heard, time.monotonic())
        if as_json:
            _print_frame(heard)
        else:
            Console().print(screen(gate, heard, time.monotonic(), height=1_000))
        raise typer.Exit(EXIT_CODES[seen.verdict])


async def _follow(gate: str, url: str, key: str | None, *, as_json: bool) -> None:
    if as_json:
        async for heard in listen(url, key, gate):
            if not heard.trouble:
                _print_frame(heard)
    elif sys.stdout.isatty():
        await _on_screen(gate, url, key)
    else:
        await _line_by_line(gate, url, key)


async def _on_screen(gate: str, url: str, key: str | None) -> None:
    console, now = Console(), [Heard()]
    drawn = Live(
        console=console,
        screen=True,
        refresh_per_second=REDRAWN_PER_SECOND,
        get_renderable=lambda: screen(gate, now[0], time.monotonic(), console.height),
    )
    with drawn:
        async for heard in listen(url, key, gate):
            now[0] = heard


async def _line_by_line(gate: str, url: str, key: str | None) -> None:
    """Print a line whenever the verdict or its reason changes; silence changes it, too."""
    now, shown = [Heard()], None

    async def hear() -> None:
        async for heard in listen(url, key, gate):
            now[0] = heard

    hearing = asyncio.ensure_future(hear())
    try:
        while not hearing.done():
            seen = standing(now[0], time.monotonic())
            news = (seen.verdict, now[0].trouble if seen.why else seen.summary)
            if now[0] != Heard() and news != shown:
                shown = news
                print(line(gate, seen), flush=True)
            await asyncio.sleep(1 / REDRAWN_PER_SECOND)
        hearing.result()
    finally:
        hearing.cancel()


def _print_frame(heard: Heard) -> None:
    print(json.dumps(heard.frame, ensure_ascii=False, separators=(",", ":")), flush=True)
