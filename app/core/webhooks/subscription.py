"""Who is told of what, and which word is out of date once another has been spoken.

A receiver that was down must not be told late that it may go on, when it has to stop by now: as soon as a stop is put
out, what is still waiting to say the opposite about the same thing is withdrawn.
"""

from collections.abc import Collection, Mapping

from app.core.event import MEANINGS, Event, EventType

E = EventType
_GATE = frozenset({E.DECISION_SEND, E.DECISION_THROTTLE})
_CAMPAIGN = frozenset({E.CAMPAIGN_STARTED, E.CAMPAIGN_RESUMED, E.WAVE_OPENED})
WITHDRAWS_BY_SUBJECT: Mapping[EventType, frozenset[EventType]] = {
    E.DECISION_HOLD: _GATE,
    E.DECISION_UNKNOWN: _GATE,
    E.PERMIT_PAUSED: frozenset({E.PERMIT_RESUMED}),
    E.PERMIT_REVOKED: frozenset({E.PERMIT_RESUMED}),
    E.PERMIT_EXPIRED: frozenset({E.PERMIT_RESUMED}),
}
WITHDRAWS_BY_CAMPAIGN: Mapping[EventType, frozenset[EventType]] = {
    E.CAMPAIGN_PAUSED: _CAMPAIGN,
    E.CAMPAIGN_CANCELLED: _CAMPAIGN,
    E.CAMPAIGN_GAVE_UP: _CAMPAIGN,
    E.CAMPAIGN_DONE: _CAMPAIGN,
    E.WAVE_COMPLETED: frozenset({E.WAVE_OPENED}),
}
# The other way round: for each go, what says the opposite when it comes later.
CONTRADICTED_BY_SUBJECT, CONTRADICTED_BY_CAMPAIGN = (
    {go: frozenset(stop for stop, goes in table.items() if go in goes) for go in frozenset().union(*table.values())}
    for table in (WITHDRAWS_BY_SUBJECT, WITHDRAWS_BY_CAMPAIGN)
)
TOLD = tuple(kind for kind, meaning in MEANINGS.items() if meaning.told)
del E


def wants(event: Event, webhook_id: str, types: Collection[str], gate: str | None) -> bool:
    """Tell whether a receiver is told of an event. types empty: everything that is told; gate None: of every gate.

    A test goes to the receiver it tests, whatever that one subscribed to, and to nobody else.
    """
    if event.type is EventType.WEBHOOK_TESTED:
        return event.subject == f"webhook/{webhook_id}"
    if not MEANINGS[event.type].told or (types and event.type not in types):
        return False
    return gate is None or event.gate == gate
