"""What was foreseen, in the gate's own terms: instants in place of minutes, one room per sender."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.forecast.breach import Breach
from app.core.forecast.foresee import Ahead, Foreseen, Sender
from app.core.forecast.known import Known
from app.core.forecast.safe import SafeSend
from app.core.gate.foresight import Elsewhere, Foresight, Portion, Predicted, Reinforcement, Room


class Looked(NamedTuple):
    """What may follow for one sender, as looked into at an instant."""

    at: datetime
    ahead: Ahead


def foresight_of(
    known: Known,
    foreseen: Foreseen,
    looked: Mapping[str, Looked],
    *,
    given: int,
    good_for_seconds: float,
    elsewhere: Elsewhere | None = None,
) -> Foresight:
    """Return what a gate uses of what was foreseen. looked: by campaign, as far as it was looked into lately."""
    sends = dict(foreseen.sends)
    rooms = tuple(
        (sender.campaign, _room(known.at, sender, sends[sender.campaign], looked.get(sender.campaign)))
        for sender in known.senders
    )
    breaches = foreseen.without.breaches
    return Foresight(
        known.at,
        given=given,
        breach_probability=foreseen.without.probability,
        breaks=predicted(breaches[0], known.at) if breaches else None,
        rooms=rooms,
        good_for_seconds=good_for_seconds,
        elsewhere=elsewhere,
    )


def predicted(breach: Breach, at: datetime) -> Predicted:
    """Return a breach with its instants; of its two expectations that of the floors on which it breaks."""
    return Predicted(
        breach.metric,
        breach.queue,
        at + timedelta(seconds=breach.window_start_seconds),
        at + timedelta(seconds=breach.window_end_seconds),
        breach.if_broken,
        breach.limit,
        breach.probability,
    )


def _room(at: datetime, sender: Sender, send: SafeSend, looked: Looked | None) -> Room:
    room = Room(send.audience, sender.rate.mean, forbids=predicted(send.breach, at) if send.breach else None)
    if looked is None:
        return room
    return replace(
        room,
        next_portions=tuple(
            Portion(looked.at + timedelta(minutes=wave.minute), wave.audience) for wave in looked.ahead.portions
        ),
        reinforcements=tuple(Reinforcement(*each) for each in looked.ahead.agents),
    )
