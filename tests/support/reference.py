"""The reference: what an installation must never have done, whatever happened to it, judged the slow and plain way.

`faults(found, told)` returns a sentence for each thing that is wrong; [] is what every test wants. It judges

* **observations**: each acknowledged one is in the stream, once, at a position of its own;
* **what was saved**: each acknowledged policy and override is there;
* **permits**: each acknowledged one is there with its number, each key has one, none came from nowhere, each has one
  event of its grant; at no grant was more out than the caps of the policy it was granted by;
* **goes**: each `send` or `throttle` that a client heard, and each in the decision log, stands on data. At the instant
  it was evaluated, each queue that the gate watches had, for each rule's metric, an observation that was not stale,
  and gauges were within the limit that holds. A go does not outlive its valid_until, is not of a policy that had been
  replaced before, and did not overlook a hold by hand.

It shares no code with what it judges. What it does not judge: limits of averages and ratios (their freshness it does),
hysteresis beyond the plain limit, send windows, outlooks, queues that contact events tell of, and overrides of single
campaigns. Instants are microseconds since 1970; the clocks of clients and servers are taken to be one.

An evaluation may lag: what was acknowledged less than `lag_seconds` before it need not be in it, and what was received
before it may be. A go is right when some state of the stream in between makes it right.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import accumulate
from typing import Any, NamedTuple

from tests.support.found import GAUGES, Found, Kept, Row
from tests.support.told import Told, micros

SECOND = 1_000_000
CUT_US = 1_000  # answers tell instants in whole milliseconds
LAG_SECONDS = 2.0
ANSWERED_FROM_SECONDS = 5.0  # an answer may be made from an evaluation as old as this
UNHEARD_SECONDS = 15.0  # until then what nobody heard the acknowledgement of is in, or not
STALE_AFTER_SECONDS = 120.0  # of a policy that does not say
HOUR_US = 3600 * SECOND
REPEATED_US = 23 * HOUR_US  # an hour less than keys are kept
GO = {"send", "throttle"}
# Columns that a metric may be read from; any of them, fresh, will do.
FROM: Mapping[str, Sequence[str]] = {
    "occupancy_ratio": ("occupancy_ratio", "agents_busy"),
    "speed_to_answer_seconds": ("speed_to_answer_seconds", "wait_seconds_sum"),
    "handle_time_seconds": ("handle_time_seconds", "handle_seconds_sum"),
    "service_level_ratio": ("service_level_ratio", "answered_within_target"),
    "abandonment_ratio": ("abandonment_ratio", "abandoned"),
}
NOT_JUDGED = {"exempt_traffic_class"}


def faults(
    found: Found,
    told: Told,
    *,
    lag_seconds: float = LAG_SECONDS,
    answered_from_seconds: float = ANSWERED_FROM_SECONDS,
) -> list[str]:
    """Return everything that must not have happened, in words.

    answered_from_seconds: how old an evaluation may be that an answer is made from.
    """
    return [
        *observation_faults(found, told),
        *saved_faults(found, told),
        *permit_faults(found, told),
        *cap_faults(found),
        *go_faults(found, told, lag_seconds=lag_seconds, answered_from_seconds=answered_from_seconds),
    ]


def observation_faults(found: Found, told: Told) -> Iterator[str]:
    """Yield acknowledged observations that are not there, or there twice, and positions given out twice."""
    times = Counter((each.source, each.queue, each.observed_us) for each in found.observations)
    for key in told.observations:
        if key not in times:
            yield f"the observation {key} was acknowledged and is lost"
    for key, count in times.items():
        if count > 1:
            yield f"the observation {key} is there {count} times"
    positions = [each.position for each in found.observations]
    if len(set(positions)) != len(positions):
        yield "two observations have one position"


def saved_faults(found: Found, told: Told) -> Iterator[str]:
    """Yield policies and overrides that were acknowledged and are not there."""
    for gate, version in told.policies.keys() - found.policies.keys():
        yield f"version {version} of gate {gate!r}'s policy was acknowledged and is lost"
    for override in told.overrides.keys() - found.overrides.keys():
        yield f"the override {override} was acknowledged and is lost"


def permit_faults(found: Found, told: Told) -> Iterator[str]:
    """Yield permits that were acknowledged and lost or changed, given twice for one key, or given to nobody."""
    repeated = _repeated(found)
    for key, answers in told.granted.items():
        if len(answers) > 1:
            yield f"{key!r} was told of more than one permit: {sorted(answers)}"
        for permit, allow in answers:
            yield from _granted_faults(found, repeated, key, permit, allow)
    holders = Counter(permit for answers in told.granted.values() for permit, _ in answers)
    for permit, count in holders.items():
        if count > 1:
            yield f"the permit {permit} was given to {count} keys"
    keyed = set(found.repeats.values())
    for permit in repeated:
        if told.keys and permit not in keyed and found.permits[permit]["wave"] is None:
            yield f"the permit {permit} was given under no key"
    yield from _event_faults(found)


def _granted_faults(found: Found, repeated: set[str], key: str, permit: str, allow: int) -> Iterator[str]:
    kept = found.permits.get(permit)
    if kept is None:
        yield f"the permit {permit} was acknowledged to {key!r} and is lost"
    elif kept["allowed"] != allow:
        yield f"the permit {permit} was told as {allow} and is {kept['allowed']}"
    elif found.repeats.get(key) != permit and permit in repeated:
        yield f"{key!r} was told of {permit}, and a repeat would be told of {found.repeats.get(key)}"


def _repeated(found: Found) -> set[str]:
    """Return the permits that an ask with their key is answered with still: for a day, unless withdrawn."""
    newest = max((each["granted_at"] for each in found.permits.values()), default=0)
    kept = {permit: each for permit, each in found.permits.items() if each["granted_at"] > newest - REPEATED_US}
    return {permit for permit, each in kept.items() if each["state"] != "revoked"}


def _event_faults(found: Found) -> Iterator[str]:
    """Yield permits without their one event, events without their permit, and holes between events."""
    events = Counter(event["subject"] for event in found.events if event["type"] == "permit.granted")
    for permit in found.permits:
        if events[f"permit/{permit}"] != 1:
            yield f"the permit {permit} has {events[f'permit/{permit}']} events of its grant"
    for subject in events.keys() - {f"permit/{permit}" for permit in found.permits}:
        yield f"{subject} was granted, says an event, and is not there"
    numbers = [event["seq"] for event in found.events]
    if numbers != list(range(1, len(numbers) + 1)):
        yield "the events are not numbered from 1 without holes"


# --- caps ---


class _Out:
    """What a gate had given away, followed event by event."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[int, int]] = {}  # what may still be sent, and until when
        self._sent: list[tuple[int, int]] = []

    def take(self, event: Row) -> None:
        after, before = event["after"], event["before"] or {"sent": 0}
        live = after["state"] in {"active", "paused"}
        left = max(0, after["allow"] - after["sent"]) if live else 0
        self._left[event["subject"]] = left, micros(after["expires_at"])
        if after["sent"] > before["sent"]:
            self._sent.append((event["at"], after["sent"] - before["sent"]))

    def at_once(self, now: int) -> int:
        return sum(left for left, until in self._left.values() if until > now)

    def in_an_hour(self, now: int) -> int:
        return self.at_once(now) + sum(sent for at, sent in self._sent if at > now - HOUR_US)


def cap_faults(found: Found) -> Iterator[str]:
    """Yield grants after which more was out than the policy that they were granted by allows."""
    gates: dict[str, _Out] = defaultdict(_Out)
    for event in found.events:
        if not event["type"].startswith("permit."):
            continue
        gate = gates[event["gate"]]
        gate.take(event)
        if event["type"] != "permit.granted":
            continue
        decision = found.decisions.get(event["after"]["decision_id"])
        if decision is None:
            yield f"{event['subject']} has no decision in the log"
            continue
        policy = found.policies.get((event["gate"], decision["policy_version"]))
        if policy is None or policy["document"].get("mode") == "shadow" or _is_exempt(decision["reasons"]):
            continue
        for cap, out in (
            ("max_audience_per_wave", gate.at_once(event["at"])),
            ("max_audience_per_hour", gate.in_an_hour(event["at"])),
        ):
            most = policy["document"].get(cap)
            if most is not None and out > most:
                yield f"with {event['subject']} {out} were out, more than {cap} {most}"


# --- goes ---


class Go(NamedTuple):
    """A go to be judged. It was evaluated between two instants, mostly one."""

    name: str
    gate: str
    version: int
    from_us: int
    until_us: int
    override: str | None


class _Newest(NamedTuple):
    """What is the newest reading of a queue's column from a position on."""

    position: int
    received_us: int
    observed_us: int
    value: float


def go_faults(
    found: Found,
    told: Told,
    *,
    lag_seconds: float = LAG_SECONDS,
    answered_from_seconds: float = ANSWERED_FROM_SECONDS,
) -> Iterator[str]:
    """Yield goes that stand on no data, on bad data, on a policy of before, or outlive themselves."""
    for answer in told.answers:
        body = answer.body
        if body["state"] in GO and answer.asked_us >= micros(body["valid_until"]) + CUT_US:
            yield f"{body['decision_id']} was given after it had ended at {body['valid_until']}"
        if body["state"] in GO and answer.asked_us - micros(body["evaluated_at"]) > 2 * answered_from_seconds * SECOND:
            yield f"{body['decision_id']} was answered from an evaluation of {body['evaluated_at']}, long ago"
    judge = _Judge(found, told, lag_seconds)
    for go in _goes(found, told, answered_from_seconds):
        yield from (f"{go.name} said go, and {fault}" for fault in judge.faults(go))


def _goes(found: Found, told: Told, answered_from_seconds: float) -> Iterator[Go]:
    for body in (answer.body for answer in told.answers if answer.body["state"] in GO):
        at = micros(body["evaluated_at"])
        override = body["override"] and body["override"]["id"]
        if not _is_exempt(body["reasons"]):
            yield Go(body["decision_id"], body["gate"], body["policy_version"], at, at + CUT_US, override)
    for row in found.decisions.values():
        if row["verdict"] not in GO or _is_exempt(row["reasons"]):
            continue
        asked = row["kind"] == "asked"
        override = row["override_id"] or _overriding(row["reasons"])
        earliest = row["at"] - round(answered_from_seconds * SECOND) if asked else row["at"]
        name = f"{row['id']} in the log"
        yield Go(name, row["gate"], row["policy_version"], earliest, row["at"], override)
        if row["last_at"] is not None and row["last_at"] > row["at"]:
            yield Go(f"{name}, last", row["gate"], row["policy_version"], row["last_at"], row["last_at"], override)


def _is_exempt(reasons: Sequence[Mapping[str, Any]]) -> bool:
    return any(reason["code"] in NOT_JUDGED for reason in reasons)


def _overriding(reasons: Sequence[Mapping[str, Any]]) -> str | None:
    """Return a name for an override that a transition tells of only by its reason."""
    return "" if any(reason["code"] == "override_allow" for reason in reasons) else None


class _Judge:
    """Knows what was the newest of each queue's readings at each position of the stream."""

    def __init__(self, found: Found, told: Told, lag_seconds: float) -> None:
        self._found, self._told, self._lag = found, told, round(lag_seconds * SECOND)
        self._runs: dict[tuple[str, str], list[_Newest]] = defaultdict(list)
        self._first: dict[str, int] = {}
        certain = []
        for each in found.observations:
            self._take(each)
            unheard = each.received_us + round(UNHEARD_SECONDS * SECOND)
            certain.append((told.observations.get((each.source, each.queue, each.observed_us), unheard), each.position))
        certain.sort()
        self._acknowledged = [at for at, _ in certain]
        self._reached = list(accumulate((position for _, position in certain), max))

    def _take(self, each: Kept) -> None:
        self._first.setdefault(each.queue, each.position)
        observed = min(each.observed_us, each.received_us)  # a source's clock may be ahead
        for column, value in each.values.items():
            run = self._runs[each.queue, column]
            if not run or observed >= run[-1].observed_us:
                run.append(_Newest(each.position, each.received_us, observed, value))

    def faults(self, go: Go) -> Iterator[str]:
        policy = self._found.policies.get((go.gate, go.version))
        if policy is None:
            yield f"there is no version {go.version} of its policy"
            return
        yield from self._replaced(go)
        yield from self._held_by_hand(go)
        override = None if go.override is None else self._found.overrides.get(go.override, {"even_without_data": True})
        if override is None or not override["even_without_data"]:
            yield from self._floor_faults(go, policy["document"], only_fresh=override is not None)

    def _replaced(self, go: Go) -> Iterator[str]:
        for (gate, version), at in self._told.policies.items():
            if gate == go.gate and version > go.version and at < go.from_us - self._lag:
                yield f"its policy, version {go.version}, had been replaced by {version}"

    def _held_by_hand(self, go: Go) -> Iterator[str]:
        for override, at in self._told.overrides.items():
            row = self._found.overrides.get(override)
            if row is None or row["gate"] != go.gate or row["effect"] != "hold" or row["matchers"]:
                continue
            ends = min(row["ends_at"], row["closed_at"] or row["ends_at"])
            if max(at, row["starts_at"]) < go.from_us - self._lag and go.until_us < ends:
                yield f"{override} held the gate"

    def _floor_faults(self, go: Go, policy: Mapping[str, Any], *, only_fresh: bool) -> Iterator[str]:
        lowest, stale_us = self._certain(go.from_us - self._lag), policy.get("stale_after_seconds", STALE_AFTER_SECONDS)
        for pattern in policy["queues"]:
            queues = [queue for queue in self._first if fnmatchcase(queue, pattern)]
            if not queues:
                yield f"no queue was ever reported that is {pattern!r}"
            for queue in queues:
                if self._first[queue] > lowest or queue in self._found.retired | self._found.of_contacts:
                    continue
                for rule in policy["rules"]:
                    span = round(rule.get("hold_for_seconds", 0) * SECOND)
                    reached = self._certain(go.from_us - self._lag - span) if span else lowest
                    readings = list(self._readings(queue, rule["metric"], reached, go.until_us))
                    oldest = go.from_us - span - round(stale_us * SECOND)
                    yield from _reading_faults(queue, rule, readings, oldest, only_fresh=only_fresh)

    def _certain(self, at: int) -> int:
        """Return the position up to which everything had been acknowledged at an instant."""
        place = bisect_right(self._acknowledged, at)
        return self._reached[place - 1] if place else 0

    def _readings(self, queue: str, metric: str, lowest: int, until_us: int) -> Iterator[_Newest]:
        """Yield every reading that may have been the newest: from what was certain to all that had come."""
        for column in FROM.get(metric, (metric,)):
            run = self._runs.get((queue, column), [])
            start = max(0, bisect_right(run, lowest, key=lambda each: each.position) - 1)
            for each in run[start:]:
                if each.received_us > until_us:
                    break
                yield each


def _reading_faults(
    queue: str, rule: Mapping[str, Any], readings: Sequence[_Newest], oldest: int, *, only_fresh: bool
) -> Iterator[str]:
    metric = rule["metric"]
    fresh = [each for each in readings if each.observed_us > oldest]
    if not readings and rule.get("on_missing") == "ignore":
        return
    if not readings:
        yield f"nothing was ever reported of {queue}'s {metric}"
    elif not fresh:
        age = (oldest - max(each.observed_us for each in readings)) / SECOND
        yield f"{queue}'s {metric} was stale for {age:.3f} s"
    elif metric in GAUGES and not only_fresh and not any(_is_within(rule, each.value) for each in fresh):
        yield f"{queue}'s {metric} was {fresh[-1].value:g}, past its limit"


def _is_within(rule: Mapping[str, Any], value: float) -> bool:
    above, below = rule.get("hold_above"), rule.get("hold_below")
    return not (above is not None and value > above) and not (below is not None and value < below)
