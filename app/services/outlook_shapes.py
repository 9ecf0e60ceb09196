"""An outlook and a plan, JSON-ready: instants in place of minutes, null where something is not known."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from app.core.campaign.campaign import Campaign
from app.core.floor.metric import DEFINITIONS
from app.core.forecast.breach import Breach
from app.core.forecast.foresee import Sender
from app.core.forecast.learn import GammaRate
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.outlook import Band, Outlook, Prospect, QueueOutlook
from app.core.forecast.plan import Plan
from app.core.forecast.safe import SafeSend
from app.core.forecast.series import FloatArray
from app.core.gate.foresight import Room
from app.services.outlook_foresight import predicted
from app.services.outlooks import GateOutlook
from app.services.shapes import Shape, instant

LOW, HIGH = 0.1, 0.9


def outlook_shape(
    made: GateOutlook,
    seen: Outlook | None,
    *,
    now: datetime,
    asked: tuple[int | None, datetime | None, str | None],
    room: Room | None,
) -> Shape:
    """Return an outlook as the API shows it. asked: audience, start and campaign; room: what its gate was told."""
    audience, start_at, campaign = asked
    shape = head_shape(made, now) | {
        "campaign": campaign,
        "audience": audience,
        "start_at": instant(start_at),
        "audience_shown": None,
        "contacts_per_1000": None,
        "interval_seconds": None,
        "without": None,
        "with_send": None,
        "queues": [],
        "room": room_shape(room) if room else None,
    }
    if seen is None or made.gathered is None:
        return shape
    first_at = made.at + timedelta(minutes=seen.first_minute)
    return shape | {
        "audience_shown": seen.audience_shown,
        "contacts_per_1000": rate_shape(made.gathered.sender(campaign)),
        "interval_seconds": seen.interval_seconds,
        "without": verdict_shape(seen.without, made.at),
        "with_send": verdict_shape(seen.with_send, made.at) if seen.with_send else None,
        "queues": _queue_shapes(made, seen, first_at),
    }


def plan_shape(made: GateOutlook, found: Plan | None, campaign: Campaign, now: datetime) -> Shape:
    """Return a campaign's plan as the API shows it; what it may do is null where the outlook is not known."""
    shape = head_shape(made, now) | {"campaign": campaign.id, "audience": campaign.recipients}
    keys = (
        "contacts_per_1000",
        "without",
        "at_once",
        "now",
        "equal_waves",
        "greedy_waves",
        "spread",
        "next_window",
        "agents",
    )
    if found is None or made.gathered is None:
        return shape | dict.fromkeys(keys)
    at = made.at
    return shape | {
        "audience": found.audience,
        "contacts_per_1000": rate_shape(made.gathered.sender(campaign.id)),
        "without": {
            "breach_probability": found.without.probability,
            "breaches": breach_shapes(found.without.breaches, at),
        },
        "at_once": {
            "breach_probability": found.at_once.probability,
            "breaches": breach_shapes(found.at_once.breaches, at),
        },
        "now": send_shape(found.now, at),
        "equal_waves": [_portion(at, wave.minute, wave.audience) for wave in found.equal],
        "greedy_waves": [_portion(at, wave.minute, wave.audience) for wave in found.greedy],
        "spread": {
            "minutes": found.spread.minutes,
            "audience": found.spread.audience,
            "breach_probability": found.spread.breach_probability,
        },
        "next_window": _portion(at, found.next_window.minute, found.next_window.audience)
        if found.next_window
        else None,
        "agents": {
            "from_at": instant(at + timedelta(minutes=found.agents.from_minute)),
            "by_queue": found.agents.by_queue,
            "breach_probability": found.agents.breach_probability,
        },
    }


def head_shape(made: GateOutlook, now: datetime) -> Shape:
    """Return what every answer about an outlook begins with: of which gate, when, how old, and what it is made from."""
    limits = made.gathered.known.limits if made.gathered else None
    return {
        "gate": made.gate,
        "policy_version": made.policy_version,
        "at": instant(made.at),
        "age_seconds": round(max(0.0, (now - made.at).total_seconds()), 3),
        "known": made.gathered is not None,
        "unknown": made.unknown or None,
        "limits": limits_shape(limits) if limits else None,
        "made_from": [
            {
                "queue": notes.queue,
                "arrivals": notes.arrivals,
                "agents": notes.agents,
                "handle_time": notes.handle_time,
                "patience": notes.patience,
            }
            for notes in (made.gathered.notes if made.gathered else ())
        ],
    }


def limits_shape(limits: OutlookLimits) -> Shape:
    """Return what the predicted floor is held to."""
    return {name: getattr(limits, name) for name in OutlookLimits.__dataclass_fields__}


def rate_shape(sender: Sender) -> Shape:
    """Return the contacts per 1,000 that are reckoned with: mean, and the band that holds them with 80 %."""
    mean, cv = sender.rate.mean, sender.rate.cv
    if mean <= 0 or cv <= 0:
        return {"mean": mean, "low": mean, "high": mean}
    believed = GammaRate.of_moments(mean, (mean * cv) ** 2)
    return {"mean": mean, "low": believed.quantile(LOW), "high": believed.quantile(HIGH)}


def verdict_shape(prospect: Prospect, at: datetime) -> Shape:
    """Return the probability that a limit breaks, and where."""
    return {
        "breach_probability": prospect.verdict.probability,
        "breaches": breach_shapes(prospect.verdict.breaches, at),
    }


def breach_shapes(breaches: Sequence[Breach], at: datetime) -> list[Shape]:
    """Return limits that may break, the most probable first."""
    return [_breach_shape(breach, at) for breach in breaches]


def send_shape(send: SafeSend, at: datetime) -> Shape:
    """Return how much may go at once, and what forbids more."""
    return {
        "audience": send.audience,
        "bound": send.bound,
        "breach_probability": send.breach_probability,
        "forbids_more": _breach_shape(send.breach, at) if send.breach else None,
    }


def room_shape(room: Room) -> Shape:
    """Return what the gate was told that a sender may send."""
    return {
        "audience": room.audience,
        "next_portions": [{"starts_at": instant(at), "audience": audience} for at, audience in room.next_portions],
        "more_agents": [{"agents": agents, "audience": audience} for agents, audience in room.reinforcements],
    }


def _breach_shape(breach: Breach, at: datetime) -> Shape:
    told = predicted(breach, at)
    return {
        "queue": told.queue,
        "metric": told.metric,
        "unit": DEFINITIONS[told.metric].unit,
        "starts_at": instant(told.starts_at),
        "ends_at": instant(told.ends_at),
        "expected": breach.expected,
        "expected_if_broken": breach.if_broken,
        "limit": told.limit,
        "probability": told.probability,
    }


def _portion(at: datetime, minute: int, audience: int) -> Shape:
    return {"starts_at": instant(at + timedelta(minutes=minute)), "audience": audience}


def _queue_shapes(made: GateOutlook, seen: Outlook, first_at: datetime) -> list[Shape]:
    step = timedelta(seconds=seen.interval_seconds)
    sent = seen.with_send.queues if seen.with_send else (None,) * len(seen.without.queues)
    agents = {queue.queue: queue.agents for queue in made.gathered.known.queues} if made.gathered else {}
    stride = max(1, round(seen.interval_seconds / 60))
    return [
        {
            "queue": without.queue,
            "never_recovers": without.never_recovers,
            "never_recovers_with_send": with_send.never_recovers if with_send else None,
            "points": [
                {
                    "at": instant(first_at + index * step),
                    "agents": int(agents[without.queue][seen.first_minute + index * stride]),
                    "without": _point(without, index),
                    "with_send": _point(with_send, index) if with_send else None,
                }
                for index in range(len(without.offered))
            ],
        }
        for without, with_send in zip(seen.without.queues, sent, strict=True)
    ]


def _point(queue: QueueOutlook, index: int) -> Shape:
    return {
        "offered": _number(queue.offered, index),
        "service_level_ratio": _band(queue.service_level_ratio, index),
        "speed_to_answer_seconds": _band(queue.speed_to_answer_seconds, index),
        "backlog": _band(queue.backlog, index),
    }


def _band(band: Band, index: int) -> dict[str, Any]:
    return {
        name: _number(values, index) for name, values in (("mean", band.mean), ("low", band.low), ("high", band.high))
    }


def _number(values: FloatArray, index: int) -> float | None:
    value = float(values[index])
    return round(value, 6) if np.isfinite(value) else None
