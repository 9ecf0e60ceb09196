"""What limits would have done to the last days, in one sentence and as a strip of time. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from app.core.backtest.comparison import Comparison, Course
from app.core.backtest.report import Gap
from app.web.format import count, duration

DAYS = 7
SPAN = timedelta(days=DAYS)
WIDTH = 1000
LEAST_WIDTH = 2.0  # so that a hold of a minute can be seen in a week
MOST_BLOCKS = 300
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Block:
    """A hold on the strip: where it begins and how wide it is, of WIDTH."""

    x: float
    width: float


@dataclass(frozen=True, slots=True)
class CourseView:
    """One policy's course: whose it is, what it would have done, and its strip."""

    who: str
    sentence: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """What the page says of both. tried None: nothing differs from what is saved."""

    tried: CourseView | None
    saved: CourseView | None
    notes: tuple[str, ...]


def told(found: Comparison, saved_version: int, *, is_tried: bool, by_outlook: bool) -> Told:
    """Return a comparison as the page prints it: its courses are the saved policy's (if any), then the one tried."""
    courses = list(found.courses)
    saved = _view(f"As saved, version {saved_version}", courses.pop(0), found) if saved_version else None
    tried = _view("These limits", courses.pop(0), found) if is_tried else None
    return Told(tried, saved, tuple(_notes(found, by_outlook=by_outlook)))


def sentence(course: Course, bad_hours: int) -> str:
    """Return what a course amounts to: `would have held 3 times, 2 h 10 min in all, missed 1 bad hour`."""
    return f"would {_held(course)}, {_missed(course.missed_hours, bad_hours)}"


def _held(course: Course) -> str:
    if not course.held:
        return "not have held"
    lasted = duration(course.held_minutes * _MINUTE)
    if len(course.held) == 1:
        return f"have held once, {lasted}"
    times = "twice" if len(course.held) == 2 else f"{len(course.held):,} times"  # noqa: PLR2004
    return f"have held {times}, {lasted} in all"


def _missed(missed: int, bad_hours: int) -> str:
    if not bad_hours:
        return "and no hour was bad"
    if not missed:
        return f"missed none of {count(bad_hours, 'bad hour')}" if bad_hours > 1 else "missed no bad hour"
    return f"missed {count(missed, 'bad hour')}" + (f" of {bad_hours:,}" if bad_hours > missed else "")


def _view(who: str, course: Course, found: Comparison) -> CourseView:
    return CourseView(who, sentence(course, found.bad_hours), tuple(_blocks(course.held, found)))


def _blocks(held: Sequence[Gap], found: Comparison) -> list[Block]:
    """Return the holds on the strip; those that would touch there are one."""
    whole = (found.until - found.start).total_seconds()
    blocks: list[Block] = []
    for hold in held:
        x = (hold.start - found.start).total_seconds() / whole * WIDTH
        width = max(LEAST_WIDTH, (hold.until - hold.start).total_seconds() / whole * WIDTH)
        if blocks and x <= blocks[-1].x + blocks[-1].width:
            blocks[-1] = Block(blocks[-1].x, max(blocks[-1].width, round(x + width - blocks[-1].x, 1)))
        else:
            blocks.append(Block(round(x, 1), round(width, 1)))
    return blocks[:MOST_BLOCKS]


def _notes(found: Comparison, *, by_outlook: bool) -> list[str]:
    by = "what the saved outlook promises" if by_outlook else "a hold limit as it is saved"
    notes = [f"A bad hour: for 15 minutes or more of it, {by} was not kept."]
    unknown = max((course.unknown_minutes for course in found.courses), default=0)
    if unknown:
        lasted = duration(unknown * _MINUTE)
        notes.append(f"For {lasted} data are missing or stale: the gate is unknown then, and holds.")
    return notes
