"""The whole policy server, put together: a lane for each bulk rule, and the socket in front of them."""

import asyncio
import logging
from collections.abc import Callable

from app.client import AsyncHoldfire
from app.postfix.desk import Desk
from app.postfix.lane import Lane
from app.postfix.listener import Listener, listening
from app.postfix.table import OnUnreachable, PolicyTable

log = logging.getLogger(__name__)


async def serve(table: PolicyTable, holdfire: AsyncHoldfire, ready: Callable[[str], None]) -> None:
    """Answer Postfix until cancelled; then report what passed and give the rest back. ready is told where we listen.

    Raises OSError where nothing can be listened on.
    """
    lanes = {
        rule.name: Lane(
            *(rule.name, rule.terms, holdfire),
            answer_seconds=table.answer_seconds,
            ask_seconds=table.ask_seconds,
            passes_unasked=table.on_unreachable is OnUnreachable.PASS,
            unreachable_seconds=table.unreachable_seconds,
        )
        for rule in table.rules
        if rule.terms is not None
    }
    listener = Listener(Desk(table.rules, lanes, table.defer_text), table.connections)
    if table.on_unreachable is OnUnreachable.PASS:
        log.warning("postfix_policy_fails_open", extra={"on_unreachable": "pass"})
    try:
        async with listening(table.listen, listener) as where:
            ready(where)
            await asyncio.Event().wait()
    finally:
        await listener.close(table.answer_seconds)
        await asyncio.gather(*(lane.close() for lane in lanes.values()))
