"""The life of one contact in one queue, from whatever is known of it.

Theory of operation: what is known is the earliest instant reported for each kind of event: a set that only grows, in
any order. `stay` turns it into one consistent story, so that order and repetition cannot matter:

* The wait ends with the earliest of answered, abandoned, transferred and callback_requested; at the same instant the
  first in this order wins. An event dated before `queued` happened at `queued` (two clocks disagree), so no wait is
  negative. Transferred and callback_requested leave the queue: neither answered nor abandoned.
* The handling ends with the earliest event after the answer, whatever its kind.
* completed without an answer ends the wait; how is not known. So the contact was offered and is not counted answered.
* Without `queued` nothing is known of the wait: only the handling counts, and the contact is incomplete.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple, TypeAlias

from app.core.floor.contact import ContactEventKind
from app.core.floor.counts import Counts, counts
from app.core.floor.instants import SECOND, span
from app.core.floor.targets import QueueTargets

Instants: TypeAlias = Sequence[int | None]  # microseconds, one per kind of event, in the order of PLACE
PLACE: dict[str, int] = {kind: place for place, kind in enumerate(ContactEventKind)}


class Outcome(Enum):
    """How the wait ended."""

    ANSWERED = "answered"
    ABANDONED = "abandoned"
    LEFT = "left"


class Stay(NamedTuple):
    """One story of one contact, in microseconds. None: not (yet) so, or not known.

    Waiting: queued_us is known and outcome is None. In progress: outcome is ANSWERED and handled_until_us is None.
    """

    queued_us: int | None
    wait_ended_us: int | None
    outcome: Outcome | None
    handled_until_us: int | None

    @property
    def waiting(self) -> bool:
        """Whether the contact is in the queue, nobody on it yet."""
        return self.outcome is None and self.queued_us is not None

    @property
    def in_progress(self) -> bool:
        """Whether an agent is on it."""
        return self.outcome is Outcome.ANSWERED and self.handled_until_us is None


def stay(instants: Instants) -> Stay:
    """Return the one story that the known instants tell."""
    queued, answered, abandoned, completed, transferred, callback = instants
    gone = _earlier(_earlier(abandoned, transferred), callback)
    if answered is not None and (gone is None or answered <= gone):
        picked_up = _not_before(queued, answered)
        end = _earlier(gone, completed)
        return Stay(queued, picked_up, Outcome.ANSWERED, None if end is None else max(end, picked_up))
    if gone is not None:
        outcome = Outcome.ABANDONED if gone == abandoned else Outcome.LEFT
        return Stay(queued, _not_before(queued, gone), outcome, None)
    if completed is not None:
        return Stay(queued, _not_before(queued, completed), Outcome.LEFT, None)
    return Stay(queued, None, None, None)


def _earlier(one: int | None, other: int | None) -> int | None:
    if one is None:
        return other
    return one if other is None or one <= other else other


def _not_before(queued: int | None, at: int) -> int:
    return at if queued is None or at > queued else queued


# What a contact adds to the sums: at an instant in microseconds, so much. A bare tuple, because each event makes some.
Contribution: TypeAlias = tuple[int, Counts]
Contributions: TypeAlias = tuple[Contribution | None, Contribution | None, Contribution | None]
NO_CONTRIBUTIONS: Contributions = (None, None, None)

_OFFERED = counts(offered=1)
_WAITING = counts(offered=1, cohort_waiting=1)
_ANSWERED = counts(offered=1, cohort_answered=1)
_ANSWERED_IN_TARGET = counts(offered=1, cohort_answered=1, cohort_answered_in_target=1)
_ABANDONED = counts(offered=1, cohort_abandoned=1)
_IN_TARGET = counts(cohort_abandoned_in_target=1)
_SHORT = counts(cohort_abandoned_short=1)
_ANSWER = counts(answers=1)
_WAIT = counts(wait_microseconds=1)
_ABANDON = counts(abandons=1)
_ABANDON_AT_ONCE = counts(abandons=1, abandons_at_once=1)
_ABANDON_WAIT = counts(abandon_wait_microseconds=1)
_AT_ONCE_US = 5 * SECOND
_HANDLED = counts(handled=1)
_HANDLE = counts(handle_microseconds=1)


class Judge:
    """Turns stays into contributions by one queue's targets."""

    __slots__ = ("_short_us", "target_us")

    def __init__(self, targets: QueueTargets) -> None:
        self.target_us = span(targets.service_level_seconds)
        self._short_us = span(targets.short_abandon_seconds)

    def contributions(self, stay: Stay, *, expired: bool = False) -> Contributions:
        """Return what a stay adds: when queued, when its wait ended, when its handling ended.

        An expired wait stays offered, as one that was never answered.
        """
        queued, ended, outcome, until = stay
        handled = None
        if ended is not None and until is not None:
            handled = (until, _HANDLED + (until - ended) * _HANDLE)
        if queued is None:
            return (None, None, handled)
        if ended is None:
            return ((queued, _OFFERED if expired else _WAITING), None, None)
        if outcome is Outcome.LEFT:
            return ((queued, _OFFERED), None, None)
        wait = ended - queued
        if outcome is Outcome.ABANDONED:
            return self._abandoned(queued, ended, wait)
        cohort = _ANSWERED_IN_TARGET if wait <= self.target_us else _ANSWERED
        return ((queued, cohort), (ended, _ANSWER + wait * _WAIT), handled)

    def _abandoned(self, queued: int, ended: int, wait: int) -> Contributions:
        cohort = _ABANDONED + (_IN_TARGET if wait <= self.target_us else 0)
        if wait < self._short_us:
            return ((queued, cohort + _SHORT), None, None)
        abandon = _ABANDON if wait > _AT_ONCE_US else _ABANDON_AT_ONCE
        return ((queued, cohort), (ended, abandon + wait * _ABANDON_WAIT), None)
