"""The newest outlook of one queue, as charts draw it; with a send in it where one was asked about."""

import asyncio

from app.core.forecast.outlook import Outlook
from app.errors import HoldfireError
from app.services.container import Services
from app.services.outlooks import GateOutlook
from app.services.published import GateState
from app.web.outlook.chart import METRICS, Ahead
from app.web.outlook.sendings import reader_of, sendings
from app.web.outlook.shared import SharedOutlooks
from app.web.typed import NotRead, read_audience

PATIENCE_SECONDS = 0.05  # nobody waits for an outlook to see what was
ASKED_SECONDS = 10.0  # but for the answer to a question


async def ahead_of(
    services: Services,
    outlooks: SharedOutlooks,
    state: GateState,
    queue: str,
    *,
    audience: str = "",
    campaign: str = "",
) -> tuple[Ahead | None, bool]:
    """Return what is ahead of a queue, None where it is not known; and whether that is the last word for now.

    audience: as somebody typed it; what is no number is as good as none. campaign: whose mail it would be; "": of the
    campaign whose turn it is next.
    """
    try:
        asked = read_audience(audience)
    except NotRead:
        asked = None
    sender = campaign or sendings(services, state.gate)[0].id or None
    looking = asyncio.ensure_future(outlooks.outlook(services.outlook_questions, state.gate, asked, sender))
    done, _ = await asyncio.wait([looking], timeout=PATIENCE_SECONDS if asked is None else ASKED_SECONDS)
    if not done:
        looking.add_done_callback(_look_at)
        return None, False
    try:
        made, seen = looking.result()
    except HoldfireError:
        return None, True
    if seen is None or made.gathered is None or queue not in {each.queue for each in seen.without.queues}:
        return None, True
    limits, reader = made.gathered.known.limits, reader_of(services, state)
    return Ahead(made.at, seen, limits, queue, METRICS[0], asked, reader), True


def _look_at(looking: "asyncio.Future[tuple[GateOutlook, Outlook | None]]") -> None:
    """Take note of what became of it: whoever asks next is told."""
    if not looking.cancelled():
        looking.exception()
