"""The gate's verdict at every look, from its rules' episodes.

The rules are independent but for one thing: after an unknown verdict, and at the first look, a limit that is passed
holds at once. Which looks these are depends on the verdicts, and these on them; but only on earlier ones. So verdicts
are found by repeating: beginning with every look that could follow an unknown one, each round settles at least one
more look, in practice all of them within a few rounds, and what no longer changes is the answer.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from app.core.backtest.history import MINUTE, FloorHistory, Looks
from app.core.backtest.hysteresis import Episodes
from app.core.backtest.signals import Codes, is_off
from app.core.forecast.series import BoolArray, IntArray
from app.core.gate.decide import select
from app.core.gate.policy import Policy
from app.core.gate.windows import open_spans

OPEN, HELD, UNKNOWN, CLOSED = range(4)


def verdicts(rules: Sequence[Episodes], blind: BoolArray, is_open: BoolArray) -> Codes:
    """Return OPEN, HELD or UNKNOWN at each look, CLOSED outside the send windows (is_open: within them).

    blind: something that the policy watches cannot be known, or there is nothing to judge by.
    """
    before = np.zeros(len(blind), bool)  # whether the verdict before a look was unknown, or there was none
    before[1:] = (blind & is_open)[:-1]
    before[:1] = True
    while True:
        held = held_by(rules, np.flatnonzero(before), len(blind))
        unknown = blind & is_open & ~held
        if np.array_equal(before[1:], unknown[:-1]):
            break
        before[1:] = unknown[:-1]
    found = np.where(held, np.int8(HELD), np.where(blind, np.int8(UNKNOWN), np.int8(OPEN)))
    found[~is_open] = CLOSED
    return found


def held_by(rules: Sequence[Episodes], unsure: IntArray, count: int) -> BoolArray:
    """Return at which of `count` looks any rule holds on data that can be seen. unsure: looks that do not wait."""
    begins, ends = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for rule in rules:
        holding = rule.holding(unsure, count)
        begins.append(holding.starts)
        ends.append(holding.ends)
        hidden = holding.contain(rule.blind.starts)  # a hold neither begins nor ends where nothing is seen
        begins.append(rule.blind.ends[hidden])
        ends.append(rule.blind.starts[hidden])
    changes = np.bincount(np.concatenate(begins), minlength=count + 1)
    changes -= np.bincount(np.concatenate(ends), minlength=count + 1)
    return np.cumsum(changes[:count]) > 0


def within_windows(policy: Policy, start: datetime, looks: Looks) -> BoolArray:
    """Return at which looks the send windows are open; start: of the history."""
    if not policy.send_windows:
        return np.ones(looks.count, bool)
    first = start + (looks.first + 1) * MINUTE
    is_open = np.zeros(looks.count, bool)
    for opens, closes in open_spans(policy.send_windows, policy.time_zone, first, first + looks.count * MINUTE):
        is_open[_minutes(opens - first) : _minutes(closes - first)] = True
    return is_open


def unmatched(policy: Policy, history: FloorHistory, looks: Looks) -> BoolArray:
    """Return at which looks some pattern of the policy finds no queue on the floor."""
    off = {queue.name: is_off(queue, looks, history.start) for queue in history.queues}
    missing = np.zeros(looks.count, bool)
    for pattern in policy.queues:
        nobody = np.ones(looks.count, bool)
        for name in watched((pattern,), history):
            nobody &= off[name]
        missing |= nobody
    return missing


def watched(patterns: tuple[str, ...], history: FloorHistory) -> tuple[str, ...]:
    """Return the names of the queues in a history that any pattern matches."""
    return select(patterns, tuple(queue.name for queue in history.queues))[0]


def _minutes(span: timedelta) -> int:
    """Return a span in minutes, a part of one as a whole: a look is in a window from its first instant on."""
    return -(-span // MINUTE)
