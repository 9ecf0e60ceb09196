"""A backtest says, minute by minute, what the live gate says when it is shown the same minutes."""

from collections.abc import Callable, Sequence
from datetime import timedelta

from hypothesis import given, note
from hypothesis import strategies as st

from app.core.backtest.backtest import course
from app.core.backtest.history import Looks
from app.core.backtest.verdicts import CLOSED, HELD, OPEN, UNKNOWN
from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.policy import Policy, parse_policy
from app.core.gate.windows import hours
from tests.support.minutes import NOTHING, START, Cell, MinuteFloor, ToldQueue, a_history

METRICS = (Metric.BACKLOG, Metric.AGENTS_AVAILABLE, Metric.SERVICE_LEVEL_RATIO, Metric.SPEED_TO_ANSWER_SECONDS)
QUEUES = ("billing", "orders-chat", "orders-voice")
SAYS = {OPEN: Verdict.SEND, HELD: Verdict.HOLD, UNKNOWN: Verdict.UNKNOWN, CLOSED: Verdict.HOLD}

Way = Callable[[int], Cell]  # of telling a level

levels = st.integers(0, 10)


def reading(level: int) -> Cell:
    return Cell(level / 2)


def share(level: int) -> Cell:
    return Cell(level / 10)


def counted(metric: Metric) -> Way:
    """Return what makes counts of 1 to 4 contacts out of a level, anything from the best to the worst."""
    most = 1 if DEFINITIONS[metric].unit == "ratio" else 5
    return lambda level: Cell(None, 1 + level % 4, most * (1 + level % 4) * level / 10)


@st.composite
def cells(draw: st.DrawFn, metric: Metric, minutes: int) -> list[Cell]:
    """Runs of equal cells: history stays as it is for a while, then changes. None: nothing was said."""
    ready_made: Way = share if DEFINITIONS[metric].unit == "ratio" else reading
    ways = [ready_made]
    if DEFINITIONS[metric].windowed:
        ways = draw(st.sampled_from([[ready_made], [counted(metric)], [ready_made, counted(metric)]]))
    runs = draw(st.lists(st.tuples(levels | levels | st.none(), st.integers(1, 9)), min_size=1, max_size=minutes))
    found = [
        NOTHING if level is None else ways[place % len(ways)](level)
        for place, (level, length) in enumerate(runs)
        for _ in range(length)
    ]
    return (found * minutes)[:minutes]


@st.composite
def floors(draw: st.DrawFn, minutes: int, watched: Sequence[Metric]) -> dict[str, ToldQueue]:
    found = {}
    for name in draw(st.lists(st.sampled_from(QUEUES), min_size=1, max_size=2, unique=True)):
        metrics = draw(st.sampled_from([watched, watched, watched, METRICS[:1]]))
        silent = draw(st.sets(st.integers(0, minutes - 1), max_size=4))
        told = {metric: draw(cells(metric, minutes)) for metric in metrics}
        found[name] = ToldQueue(
            told, [minute not in silent for minute in range(minutes)] if draw(st.booleans()) else ()
        )
    return found


@st.composite
def rules(draw: st.DrawFn, metric: Metric) -> dict[str, object]:
    higher = DEFINITIONS[metric].worse is Worse.HIGHER
    scale = 5 if DEFINITIONS[metric].unit == "ratio" else 1
    low, high = sorted(draw(st.tuples(st.integers(1, 4), st.integers(1, 4))))
    hold, resume = (high, low) if higher else (low, high)
    limits = {
        "hold_above" if higher else "hold_below": hold / scale,
        "resume_below" if higher else "resume_above": resume / scale,
    }
    windowed = {"window_seconds": draw(st.sampled_from([60, 90, 180, 600])), "min_samples": draw(st.integers(0, 8))}
    return {
        "metric": metric,
        **limits,
        **(windowed if DEFINITIONS[metric].windowed and draw(st.booleans()) else {}),
        "hold_for_seconds": draw(st.sampled_from([0, 30, 60, 100, 180])),
        "resume_for_seconds": draw(st.sampled_from([0, 60, 90, 300])),
        "on_missing": draw(st.sampled_from(["unknown", "ignore"])),
    }


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    metrics = draw(st.lists(st.sampled_from(METRICS), min_size=1, max_size=3, unique=True))
    document = {
        "queues": draw(st.sampled_from([["*"], ["*"], ["*"], ["orders-*"], ["billing", "orders-*"]])),
        "time_zone": draw(st.sampled_from(["UTC", "America/Chicago"])),
        "stale_after_seconds": draw(st.sampled_from([60, 119, 120, 300])),
        "rules": [draw(rules(metric)) for metric in metrics],
    }
    windows = st.sampled_from([None, ["06:05", "06:40"], ["00:10", "00:20"]])
    if (window := draw(windows)) is not None:
        document["send_windows"] = [{"days": ["mon"], "from": window[0], "to": window[1]}]
    return parse_policy(document)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Policy, dict[str, ToldQueue], Looks]:
    policy = draw(policies())
    minutes = draw(st.integers(1, 45))
    first = draw(st.integers(0, minutes // 4))
    return policy, draw(floors(minutes, [rule.metric for rule in policy.rules])), Looks(first, minutes - first)


def live(policy: Policy, floor: dict[str, ToldQueue], looks: Looks) -> list[Verdict]:
    """Return what `decide` says at each look, carrying its memory along."""
    memory, found = GateMemory(), []
    for minute in range(looks.first, looks.first + looks.count):
        view = MinuteFloor(floor, minute)
        decision, memory = decide(view, policy, memory, view.at)
        found.append(decision.verdict)
    return found


def walked(policy: Policy, floor: dict[str, ToldQueue], looks: Looks) -> list[int]:
    return [int(code) for code in course(policy, a_history(floor, looks.first + looks.count), looks)]


@given(cases())
def test_every_minute_has_the_verdict_of_the_live_gate(case):
    policy, floor, looks = case
    note(f"{policy.document}\n{floor}")
    assert [SAYS[code] for code in walked(policy, floor, looks)] == live(policy, floor, looks)


@given(cases())
def test_a_minute_is_closed_exactly_outside_the_send_windows(case):
    policy, floor, looks = case
    found = walked(policy, floor, looks)
    for place, code in enumerate(found):
        at = START + timedelta(minutes=looks.first + place + 1)
        closed = bool(policy.send_windows) and not hours(policy.send_windows, policy.time_zone, at).is_open
        assert (code == CLOSED) is closed
