"""The numbers on a wall: at most six, each with what it must meet; those first that keep the gate shut. Pure.

One number per metric, of the queue where it stands worst: whoever looks up for a second wants to know what is wrong,
not all there is. They keep their places until a standing changes, so that a wall does not fidget.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.floor.targets import QueueTargets
from app.core.floor.view import FloorView
from app.core.forecast.limits import OutlookLimits
from app.core.gate.decision import Check, CheckStatus
from app.web.format import NO_BREAK, NONE, THIN, measure
from app.web.now.checks import BLIND, FINE, OPS, STATUSES

LEAST, MOST = 4, 6
FIXED = (
    *(Metric.BACKLOG, Metric.OLDEST_WAIT_SECONDS, Metric.SPEED_TO_ANSWER_SECONDS, Metric.SERVICE_LEVEL_RATIO),
    Metric.AGENTS_AVAILABLE,
)  # shown where no rule looks at them, in this order
ORDER = {metric: place for place, metric in enumerate((*FIXED, *(each for each in Metric if each not in FIXED)))}
LABELS = {Metric.AGENTS_AVAILABLE: "Agents free"}
LONG, LONGER = 9, 11  # characters of a value from which on it is set smaller
_PART = re.compile(rf"([^{THIN} ]+)(?:{THIN}([^ ]+))?")


@dataclass(frozen=True, slots=True)
class Number:
    """One number. parts: what is printed large, each with its unit, which is printed small.

    state: neutral, throttle, hold or unknown; word says it, empty where all is well. queue: its title, empty where the
    screen shows one queue only. size: normal, long or longer, by how much room the value takes.
    """

    key: str
    label: str
    queue: str
    parts: tuple[tuple[str, str], ...]
    size: str
    target: str
    state: str
    word: str


@dataclass(frozen=True, slots=True)
class Floor:
    """What numbers are made from: the floor now, the queues that the screen shows, and what each is held to.

    checks: the gate's, in any order. outlook: the policy's targets for what is foreseen, None without any.
    """

    view: FloorView
    queues: Sequence[str]
    targets: Mapping[str, QueueTargets]
    checks: Sequence[Check]
    outlook: OutlookLimits | None
    stale_after_seconds: float
    now: datetime

    def title(self, queue: str | None) -> str:
        """Return what a queue is called; nothing where there is no other to tell it from."""
        own = self.targets.get(queue or "")
        return "" if queue is None or len(self.queues) == 1 else (own.title if own and own.title else queue)


def numbers(floor: Floor, binding: Check | None) -> tuple[Number, ...]:
    """Return what a screen shows, the deciding one first. binding: the check that decides, None where none does."""
    own = sorted(_own_checks(floor), key=lambda check: _place(check, binding))
    first = list({check.metric: check for check in reversed(own)}.values())  # per metric the one that stands worst
    first.sort(key=lambda check: _place(check, binding, closely=False))
    others = [check for check in own if check not in first]
    standing = [check for check in others if check.status not in FINE | BLIND]
    shown = [_of_check(floor, check) for check in (*first, *standing)]
    queue = (first[0].queue if first else None) or next(iter(floor.queues), None)
    if queue is not None and len(shown) < MOST:
        shown += list(_unruled(floor, queue, {check.metric for check in first}))
    if len(shown) < LEAST:
        shown += [_of_check(floor, check) for check in others if check.status in FINE][: LEAST - len(shown)]
    return tuple(shown[:MOST])


def _own_checks(floor: Floor) -> Iterator[Check]:
    for check in floor.checks:
        if check.metric is not None and check.queue in floor.queues and check.status is not CheckStatus.IGNORED:
            yield check


def _place(check: Check, binding: Check | None, *, closely: bool = True) -> tuple[bool, int, float, int, str]:
    """Return where a check stands among others. closely: by how much room it has, too, which changes all the time."""
    room = 0.0
    if closely and check.margin is not None and check.limit is not None:
        room = check.margin / (abs(check.limit) or 1.0)
    metric = check.metric or Metric.BACKLOG
    gravity = STATUSES[CheckStatus.PASS if check.status in FINE else check.status][2]
    return check != binding, gravity, room, ORDER[metric], check.queue or ""


def _of_check(floor: Floor, check: Check) -> Number:
    metric = check.metric or Metric.BACKLOG
    state, word, _ = STATUSES[check.status]
    fine, blind = check.status in FINE, check.status in BLIND
    recovering = check.status is CheckStatus.RECOVERING
    limit = check.resume_limit if recovering else check.limit
    bound = f"{OPS.get(check.op or '', '')}{NO_BREAK}{measure(limit, check.unit)}"
    return _number(
        floor,
        metric,
        check.queue,
        value=NONE if blind else measure(check.value, check.unit),
        target="no limit" if limit is None else f"{'resume' if recovering else 'limit'} {bound}",
        state="neutral" if fine else state,
        word="" if check.status is CheckStatus.PASS else word,
        key="-".join(
            str(part) for part in (metric, check.window_seconds, check.limit, check.queue) if part is not None
        ),
    )


def _unruled(floor: Floor, queue: str, ruled: set[Metric | None]) -> Iterator[Number]:
    """Yield what a queue reports beside the rules, old readings left out."""
    for metric in FIXED:
        value = None if metric in ruled else _fresh(floor, queue, metric)
        if value is not None:
            said, target = measure(value, DEFINITIONS[metric].unit), _target(floor, queue, metric)
            key = f"{metric}-{queue}"
            yield _number(floor, metric, queue, value=said, target=target, state="neutral", word="", key=key)


def _fresh(floor: Floor, queue: str, metric: Metric) -> float | None:
    """Return what a queue reports of a metric, None where that is nothing, or too old to be believed."""
    reading = floor.view.reading(queue, metric)
    if reading is None or reading.age_seconds(floor.now) > floor.stale_after_seconds:
        return None
    return reading.value


def _target(floor: Floor, queue: str, metric: Metric) -> str:
    """Return what a number without a rule is measured by: the outlook's target, or how many there are in all."""
    outlook = floor.outlook
    match metric:
        case Metric.AGENTS_AVAILABLE:
            staffed = _fresh(floor, queue, Metric.AGENTS_STAFFED)
            return "no limit" if staffed is None else f"of {measure(staffed, 'agents')} staffed"
        case Metric.SERVICE_LEVEL_RATIO if outlook and outlook.service_level_ratio is not None:
            return f"target ≥{NO_BREAK}{measure(outlook.service_level_ratio, 'ratio')}"
        case Metric.SPEED_TO_ANSWER_SECONDS if outlook and outlook.speed_to_answer_seconds is not None:
            return f"target ≤{NO_BREAK}{measure(outlook.speed_to_answer_seconds, 'seconds')}"
        case Metric.BACKLOG if outlook and outlook.backlog is not None:
            return f"target ≤{NO_BREAK}{measure(outlook.backlog, 'contacts')}"
        case _:
            return "no limit"


def _number(
    floor: Floor, metric: Metric, queue: str | None, *, value: str, target: str, state: str, word: str, key: str
) -> Number:
    return Number(
        key=key,
        label=LABELS.get(metric, DEFINITIONS[metric].title),
        queue=floor.title(queue),
        parts=parts(value),
        size="longer" if len(value) >= LONGER else "long" if len(value) >= LONG else "normal",
        target=target,
        state=state,
        word=word,
    )


def parts(value: str) -> tuple[tuple[str, str], ...]:
    """Return a value's figures, each with the unit behind it: `3 min 20 s` is (("3", "min"), ("20", "s"))."""
    return tuple((figure, unit or "") for figure, unit in _PART.findall(value))
