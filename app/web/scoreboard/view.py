"""The scoreboard as its page shows it: the sums, each with how it is made, and a row per campaign. Pure."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from app.core.campaign.value import Figures
from app.core.debrief.score import Score
from app.core.debrief.scoreboard import DELAYED_SECONDS, Line, Share, Totals
from app.web.briefing.view import Instant
from app.web.format import MINUS, NO_BREAK, NONE, count, duration, iso, number, percent
from app.web.instants import moment

ZERO, UNKNOWN = "not distinguishable from zero", "not known"
WHOLE_FROM = 1_000  # from there on nobody reads cents


@dataclass(frozen=True, slots=True)
class Tile:
    """One sum. id: names it; how: how it is made, in a sentence; more: further sums that belong to it.

    is_words: it is said in words, which are longer than a number.
    """

    id: str
    title: str
    value: str
    beside: str
    how: str
    more: tuple[str, ...] = ()

    @property
    def is_words(self) -> bool:
        """Whether its value is said in words."""
        return not any(letter.isdigit() for letter in self.value)


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure of a campaign, and what belongs to it. is_known: it says something."""

    text: str
    beside: str = ""
    is_known: bool = True
    state: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One campaign. href: its debrief, or its own page while it has none; tag: what stands beside its name.

    since: from when it waits, None for one that does not.
    """

    id: str
    title: str
    href: str
    kind: str
    gate: str
    tag: str
    began: Instant
    sent: str
    per_1000: Cell
    avoided: Cell
    delay: Cell
    notice: Cell
    complaints: Cell
    net: Cell
    since: str


def tiles(totals: Totals) -> list[Tile]:
    """Return the sums. The last one is what they were worth, where anybody reported that."""
    found = [_caused(totals), _avoided(totals), _delayed(totals), _notice(totals), _complaints(totals)]
    return [*found, _net(totals)]


def row(line: Line, zone: ZoneInfo) -> Row:
    """Return a campaign's row."""
    score = line.score
    own = f"/campaigns/{score.campaign}"
    return Row(
        id=score.campaign,
        title=score.title,
        href=f"{own}/debrief" if score.messages else own,
        kind=score.kind,
        gate=score.gate,
        tag=_tag(line),
        began=_instant(score.began_at, zone),
        sent=number(score.messages),
        per_1000=_per_1000(score),
        avoided=_avoided_by(score),
        delay=_delay(line),
        notice=_notice_of(score),
        complaints=_complaints_of(line),
        net=net_cell(line.figures),
        since=iso(score.began_at) if line.is_waiting else "",
    )


def _tag(line: Line) -> str:
    if line.is_waiting:
        return "waits"
    if line.never_went:
        return "never went"
    return "" if line.score.is_final else "so far"


# --- the sums ---------------------------------------------------------------------------------------------------------


def _of(known: int, all_of_them: int) -> str:
    """Return of how many campaigns a sum is known."""
    return f"of {count(known, 'campaign')}" if known == all_of_them else f"of {known:,} of {all_of_them:,} campaigns"


def _caused(totals: Totals) -> Tile:
    rate = totals.rate
    how = (
        "Contacts that the sends brought, per 1,000 delivered messages, weighed by messages; with a 90 % interval. "
        "Where 0 is in the interval it is not distinguishable from zero."
    )
    if rate.per_1000 is None or rate.interval is None:
        return Tile("caused", "Contacts caused per 1,000", UNKNOWN, "", how)
    value = number(rate.per_1000) if rate.is_distinguishable else ZERO
    beside = f"{between(*rate.interval)}, {_of(rate.of, totals.campaigns)}"
    return Tile("caused", "Contacts caused per 1,000", value, beside, how)


def _avoided(totals: Totals) -> Tile:
    avoided, slam = totals.avoided_minutes, totals.slam_minutes
    how = (
        "Minutes in which some queue would have been past a limit of its gate's policy, had each campaign gone all at "
        "once, less those in which one was. Below 0: it was worse than all at once."
    )
    more = (f"{duration(slam.total * 60)} past a limit, {_of(slam.of, totals.campaigns)}",) if slam.of else ()
    if not avoided.of:
        return Tile("avoided", "Minutes of slam avoided", UNKNOWN, "", how, more)
    return Tile(
        "avoided", "Minutes of slam avoided", number(avoided.total), _of(avoided.of, totals.campaigns), how, more
    )


def _delayed(totals: Totals) -> Tile:
    delays = totals.delays
    how = (
        "Sends that got their first permit more than a minute after their time had come, or after they were started or "
        "first asked for; how long they waited together, and the longest."
    )
    more = []
    if totals.waiting:
        more.append(f"{count(totals.waiting, 'send')} {'waits' if totals.waiting == 1 else 'wait'} now")
    if delays.never:
        more.append(f"{count(delays.never, 'send')} never went: the deadline came first")
    if not delays.of:
        return Tile("delayed", "Sends delayed", UNKNOWN, "", how, tuple(more))
    beside = "none waited"
    if delays.delayed:
        whole, longest = duration(delays.seconds), duration(delays.longest_seconds)
        beside = f"by {whole} in all, the longest {longest}" if delays.delayed > 1 else f"by {whole}"
    return Tile("delayed", "Sends delayed", f"{delays.delayed:,} of {delays.of:,}", beside, how, tuple(more))


def _notice(totals: Totals) -> Tile:
    how = (
        "Campaigns that were announced as long before their time as their gate's policy asks, of those whose policy "
        "does; and those whose briefing everybody had read who had to, before the first permit."
    )
    more = (_read(totals.briefed),) if totals.briefed.of else ()
    notice = totals.notice
    if notice.ratio is None:
        return Tile("notice", "Notice kept", "not asked for", "", how, more)
    return Tile("notice", "Notice kept", percent(notice.ratio), f"{notice.did:,} of {notice.of:,} campaigns", how, more)


def _read(briefed: Share) -> str:
    return f"briefing read in time: {briefed.did:,} of {briefed.of:,}"


def _complaints(totals: Totals) -> Tile:
    complaints = totals.complaints
    how = (
        "Contacts that named a campaign and a reason that counts as a complaint, per campaign of which contacts named "
        "any reason."
    )
    title = "Complaints per campaign"
    if not complaints.of:
        return Tile("complaints", title, "not tagged", "", how)
    beside = f"{number(complaints.total)} in all, {_of(complaints.of, totals.campaigns)}"
    return Tile("complaints", title, number(complaints.total / complaints.of), beside, how)


def _net(totals: Totals) -> Tile:
    how = (
        "New and kept customers times the value of one, less lost ones times that, or the amount that was reported; "
        "where all of that is known. Currencies are never added."
    )
    customers = ", ".join(
        f"{number(each.total)} {word}"
        for word, each in (("new", totals.new), ("lost", totals.lost), ("kept", totals.kept))
        if each.of
    )
    more = (customers,) if customers else ()
    amounts = sorted(totals.net.by_currency.items())
    if not amounts:
        value = UNKNOWN if customers else "not reported"
        return Tile("net", "Net customer value", value, "", how, more)
    (currency, (amount, of)), others = amounts[0], amounts[1:]
    more = (*(f"{money(total, name)}, {_of(known, totals.campaigns)}" for name, (total, known) in others), *more)
    return Tile("net", "Net customer value", money(amount, currency), _of(of, totals.campaigns), how, more)


# --- one campaign -----------------------------------------------------------------------------------------------------


def _per_1000(score: Score) -> Cell:
    if score.per_1000 is None or score.per_1000_low is None or score.per_1000_high is None:
        return Cell(UNKNOWN, is_known=False)
    interval = between(score.per_1000_low, score.per_1000_high)
    if not score.is_distinguishable:
        return Cell(ZERO, interval, is_known=False)
    return Cell(number(score.per_1000), interval)


def _avoided_by(score: Score) -> Cell:
    past = "" if score.slam_minutes is None else f"{score.slam_minutes:g} past a limit"
    if score.avoided_minutes is not None:
        return Cell(f"{number(score.avoided_minutes)}{NO_BREAK}min", past)
    is_zero = score.per_1000 is not None and not score.is_distinguishable
    return Cell(ZERO if is_zero else UNKNOWN, past, is_known=False)


def _delay(line: Line) -> Cell:
    if line.is_waiting:
        return Cell("waits", is_known=True, state="throttle")
    if line.never_went:
        return Cell("never went", "its deadline came first", state="hold")
    seconds = line.score.delay_seconds
    if seconds is None:
        return Cell(UNKNOWN, is_known=False)
    return Cell(duration(seconds)) if seconds > DELAYED_SECONDS else Cell("no")


def _notice_of(score: Score) -> Cell:
    read = {None: "", True: "briefing read", False: "briefing not read"}[score.is_briefed]
    minutes = score.notice_minutes
    given = "" if minutes is None else f"{duration(minutes * 60)} before" if minutes > 0 else "not before its time"
    beside = ", ".join(filter(None, (given, read)))
    kept = score.keeps_notice
    if kept is None:
        is_asked = bool(score.notice_asked_minutes) or score.notice_asked_minutes is None
        return Cell(UNKNOWN if is_asked else "not asked for", beside, is_known=False)
    return Cell("kept", beside, state="send") if kept else Cell("too short", beside, state="hold")


def _complaints_of(line: Line) -> Cell:
    return Cell("not tagged", is_known=False) if line.complaints is None else Cell(number(line.complaints))


def net_cell(figures: Figures | None) -> Cell:
    """Return what a campaign was worth, and the customers that it is told from."""
    if figures is None:
        return Cell("not reported", is_known=False)
    said = ", ".join(
        f"{number(value)} {word}"
        for word, value in (("new", figures.new), ("lost", figures.lost), ("kept", figures.kept))
        if value is not None
    )
    if figures.net is None:
        return Cell(UNKNOWN, said, is_known=False)
    return Cell(money(figures.net, figures.currency), said)


def between(low: float, high: float) -> str:
    """Return an interval of contacts per 1,000."""
    return f"{_signed(low)} {NONE} {_signed(high)}".replace(" ", NO_BREAK)


def _signed(value: float) -> str:
    return f"{MINUS if value < 0 else ''}{abs(value):.1f}"


def money(amount: Decimal, currency: str) -> str:
    """Return an amount: `43,563 EUR`, `12.50 EUR`."""
    sign, size = (MINUS if amount < 0 else ""), abs(amount)
    text = f"{size:,.0f}" if size >= WHOLE_FROM or size == size.to_integral_value() else f"{size:,.2f}"
    return f"{sign}{text}{NO_BREAK}{currency}"


def _instant(at: datetime, zone: ZoneInfo) -> Instant:
    return Instant(iso(at), moment(at, zone))
