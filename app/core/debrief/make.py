"""A debrief out of its question: one pure function of one value, for another process."""

from collections import Counter
from collections.abc import Iterable

import numpy as np

from app.core.debrief.baseline import Baseline, Baselines
from app.core.debrief.debrief import Count, Debrief, QueueLift, Sent, State, Tagged, Window
from app.core.debrief.floor import Calculated, calculated, course, floor
from app.core.debrief.lesson import Lesson, lesson
from app.core.debrief.lifts import Lifts, lifts, queue_estimate
from app.core.debrief.question import STEP_SECONDS, Question
from app.core.debrief.slam import slam
from app.core.debrief.window import Look, floored, look_of, tallied
from app.core.debrief.wording import doubts, summary, tagged_said


class TooSoon(ValueError):
    """Nothing can be said yet: not even the first five minutes are over since the first message went."""


def debrief(question: Question) -> tuple[Debrief, Lesson]:
    """Return what a campaign did as of question.at, and what it teaches. Raises TooSoon in its first five minutes."""
    look = look_of(question.sends, question.at)
    if look is None:
        raise TooSoon(f"campaign {question.subject.id!r} began a few minutes ago; ask again when five of them are over")
    baselines = Baselines([Baseline(facts) for facts in question.queues], look)
    found = lifts(question, look, baselines)
    known = calculated(question, baselines, found)
    tagged, told = _tagged(question, look), floor(known)
    queues = tuple(_queue(question, queue, look, found, known) for queue in baselines.queues)
    sent = _sent(question)
    whole = Debrief(
        campaign=question.subject,
        state=State.FINAL if question.is_final else State.RUNNING,
        at=question.at,
        time_zone=question.time_zone,
        sent=sent,
        window=Window(look.start, look.until, STEP_SECONDS),
        summary=tuple(summary(question, sent, found, tagged, told)),
        contacts=found.contacts,
        tagged=tagged,
        queues=queues,
        floor=told,
        release=question.release,
        unknown=tuple(doubts(question, found, told)),
        before=question.before,
        predicted=question.predicted,
        slam=slam(known, question.limits, found.contacts.headline),
    )
    return whole, lesson(question, look, found)


def _sent(question: Question) -> Sent:
    messages = sum(send.messages for send in question.sends)
    return Sent(messages, question.outstanding, question.sends[0].at, question.sends[-1].at)


def _tagged(question: Question, look: Look) -> Tagged:
    since = floored(question.sends[0].at)
    tallies = [tally for tally in question.tallies if tally.bucket_at >= since]
    contacts = sum(tally.contacts for tally in tallies)
    queues, channels, reasons = (
        _counts((getattr(tally, name), tally.contacts) for tally in tallies) for name in ("queue", "channel", "reason")
    )
    in_window = int(tallied(tuple(tallies), look.start, look.steps).sum())
    return Tagged(
        contacts, in_window, queues, channels, reasons, tagged_said(contacts, reasons, question.complaint_reasons)
    )


def _counts(named: Iterable[tuple[str, int]]) -> tuple[Count, ...]:
    """Return the sums by name, largest first; what nobody named comes last."""
    sums: Counter[str] = Counter()
    for name, contacts in named:
        sums[name] += contacts
    ordered = sorted(sums.items(), key=lambda item: (not item[0], -item[1], item[0]))
    return tuple(Count(name, contacts) for name, contacts in ordered)


def _queue(question: Question, queue: Baseline, look: Look, found: Lifts, known: Calculated) -> QueueLift:
    facts, alone = queue.facts, Baselines([queue], look)
    own = tuple(tally for tally in question.tallies if tally.queue == facts.queue)
    tagged = int(tallied(own, look.start, look.steps).sum())
    forecast = queue.forecast(look.start, look.steps)
    predicted = question.predicted.queues if question.predicted else ()
    is_predicted = any(each.queue == facts.queue for each in predicted)
    return QueueLift(
        queue=facts.queue,
        offered=None if np.isnan(alone.counts).any() else int(alone.counts.sum()),
        forecast=float(alone.base.sum()) if forecast.is_known else None,
        estimate=queue_estimate(question, alone, found.per_rate[facts.queue], tagged),
        tagged=tagged,
        basis=forecast.basis,
        course=course(known.measured[facts.queue]) if is_predicted else None,
    )
