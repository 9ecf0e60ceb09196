"""What a backtest found, as a page prints it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.core.backtest.measures import Measures, WeekHour
from app.core.backtest.report import Shift
from app.core.floor.metric import DEFINITIONS
from app.services.backtest_shapes import notes
from app.services.backtests import Backtest
from app.web.format import NONE, count, duration, measure, number, percent

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
HEATS = 10
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One hour of the week. kind: closed, unknown, or heat-0 to heat-10 by how much of it was held."""

    kind: str
    text: str
    title: str


@dataclass(frozen=True, slots=True)
class HeatRow:
    """A day of the week with its 24 hours."""

    day: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class CourseRow:
    """One line of the table of moved limits; is_base: the policy as it is."""

    name: str
    limits: str
    is_base: bool
    open: str
    held: str
    holds: str
    median: str
    flips: str
    precision: str
    missed: str


@dataclass(frozen=True, slots=True)
class BacktestView:
    """All that the page shows of a backtest."""

    headline: str
    facts: tuple[tuple[str, str], ...]
    courses: tuple[CourseRow, ...]
    week: tuple[HeatRow, ...]
    zone: str
    notes: Sequence[str]


def backtest_view(done: Backtest) -> BacktestView:
    """Return a backtest as the page prints it."""
    report, measures = done.report, done.report.measures
    days = report.minutes / (24 * 60)
    return BacktestView(
        headline=_headline(measures, f"{number(days)} days" if days >= 1 else count(report.minutes, "minute")),
        facts=(
            ("Open", percent(measures.open_ratio)),
            ("Held", percent(measures.held_ratio)),
            ("Unknown", percent(measures.unknown_ratio)),
            ("Holds", f"{measures.holds:,}"),
            ("Half of them up to", duration(measures.median_hold_seconds)),
            ("Longest", duration(measures.longest_hold_seconds)),
            ("Flips a day", number(measures.flips_per_day)),
            ("Flips without hysteresis", number(report.flips_per_day_without_hysteresis)),
            ("Holds that a breach followed", percent(measures.precision_ratio)),
            ("Breaches missed", f"{measures.missed:,} of {measures.breaches:,}"),
        ),
        courses=(_course("As it is", "", measures, is_base=True), *map(_shift, report.shifts)),
        week=tuple(_day(day, report.week[day * 24 : day * 24 + 24]) for day in range(7)),
        zone=done.policy.time_zone,
        notes=notes(done),
    )


def _headline(measures: Measures, span: str) -> str:
    if measures.open_ratio is None:
        return f"In {span} no minute lay within the send windows."
    holds = count(measures.holds, "hold")
    return f"In {span} sends could have gone {percent(measures.open_ratio)} of the time, with {holds}."


def _shift(one: Shift) -> CourseRow:
    definition = DEFINITIONS[one.rule.metric]
    limits = " / ".join(measure(limit, definition.unit) for limit in (one.rule.hold_limit, one.rule.resume_limit))
    return _course(f"{definition.title} {one.factor - 1:+.0%}".replace("-", "\u2212"), limits, one.measures)


def _course(name: str, limits: str, measures: Measures, *, is_base: bool = False) -> CourseRow:
    return CourseRow(
        name=name,
        limits=limits,
        is_base=is_base,
        open=percent(measures.open_ratio),
        held=percent(measures.held_ratio),
        holds=f"{measures.holds:,}",
        median=duration(measures.median_hold_seconds),
        flips=number(measures.flips_per_day),
        precision=percent(measures.precision_ratio),
        missed=f"{measures.missed:,} of {measures.breaches:,}",
    )


def _day(day: int, hours: Sequence[WeekHour]) -> HeatRow:
    return HeatRow(DAYS[day], tuple(_cell(f"{DAYS[day]} {hour.hour:02}:00", hour) for hour in hours))


def _cell(name: str, hour: WeekHour) -> HeatCell:
    if hour.held_ratio is None or hour.unknown_ratio is None:
        return HeatCell("closed", NONE, f"{name}: outside the send windows, or not in the span")
    title = f"{name}: {percent(hour.held_ratio)} held, {percent(hour.unknown_ratio)} unknown"
    kind = "unknown" if hour.unknown_ratio > _MOSTLY else f"heat-{round(hour.held_ratio * HEATS)}"
    return HeatCell(kind, f"{hour.held_ratio:.0%}".rstrip("%"), title)
