"""Talking to a holdfire from a command: one event loop, ended in order by an answer, a fault or a signal."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeVar

import httpx2
import typer

from app.client import AsyncHoldfire, Unanswered
from app.commands.output import USAGE, fail

TIMEOUT_SECONDS = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
KILLED_BY = 128
_HINTS = {
    None: "; is holdfire running there? --url or HOLDFIRE_URL says where to ask",
    401: "; --key or HOLDFIRE_API_KEY is where the key is taken from",
}

Result = TypeVar("Result")


def talk(
    url: str,
    key: str | None,
    work: Callable[[AsyncHoldfire], Awaitable[Result]],
    timeout: float = TIMEOUT_SECONDS,
    *,
    transport: httpx2.AsyncBaseTransport | None = None,
) -> Result:
    """Return what the work with a holdfire comes to; end with a sentence where it does not answer.

    timeout: the longest that one request may take, in seconds. transport: what carries it in place of
    the client's own, which asks through the proxies that the environment names. SIGINT, SIGTERM or SIGHUP cancel the
    work; once it has cleaned up, the process ends by that signal.
    """
    try:
        holdfire = AsyncHoldfire(url, key, timeout=timeout, transport=transport)
    except ValueError as fault:
        fail(fault, USAGE)

    async def whole() -> Result:
        async with holdfire:
            return await work(holdfire)

    try:
        return until_signalled(whole())
    except Unanswered as fault:
        fail(f"{fault}{_HINTS.get(fault.status, '')}")


def until_signalled(work: Coroutine[Any, Any, Result]) -> Result:
    """Return what the work comes to; a signal to end cancels it, and then ends the process."""
    came: list[signal.Signals] = []

    async def heeding() -> Result:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def heed(number: signal.Signals) -> None:
            came.append(number)
            if task is not None:
                task.cancel()

        # What is ignored stays so: a hang-up under nohup, Ctrl-C for a job in the background.
        heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        for number in heard:
            loop.add_signal_handler(number, heed, number)
        try:
            return await work
        finally:
            for number in heard:
                loop.remove_signal_handler(number)

    try:
        return asyncio.run(heeding())
    except asyncio.CancelledError:
        _die_of(came[0])


def _die_of(number: signal.Signals) -> NoReturn:
    """End by a signal, so that a shell sees it and ends its script, too, rather than go on with the next line."""
    sys.stdout.flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise typer.Exit(KILLED_BY + number)  # the first process of a container survives its own signals
