"""The scoreboard as JSON: None stays null, which means "not known", never zero."""

from dataclasses import asdict

from app.core.campaign.value import Figures
from app.core.debrief.scoreboard import Line, Rate, Sum, Totals
from app.services.scoreboards import Board
from app.services.shapes import Shape, instant

SAME = (
    *("campaign", "title", "gate", "kind", "is_final", "messages", "contacts", "per_1000", "per_1000_low"),
    *("per_1000_high", "is_distinguishable", "slam_minutes", "avoided_minutes", "delay_seconds"),
    *("notice_asked_minutes", "notice_minutes", "keeps_notice", "is_briefed"),
)


def board_shape(board: Board) -> Shape:
    """Return a scoreboard."""
    return {
        "from": instant(board.start),
        "to": instant(board.until),
        "totals": totals_shape(board.totals),
        "items": [line_shape(each) for each in board.lines],
    }


def line_shape(each: Line) -> Shape:
    """Return one campaign."""
    score, figures = each.score, each.figures or Figures()
    return {name: getattr(score, name) for name in SAME} | {
        "began_at": instant(score.began_at),
        "wanted_at": instant(score.wanted_at),
        "granted_at": instant(score.granted_at),
        "is_waiting": each.is_waiting,
        "never_went": each.never_went,
        "complaints": each.complaints,
        "new": figures.new,
        "lost": figures.lost,
        "kept": figures.kept,
        "net": None if figures.net is None else float(figures.net),
        "currency": figures.currency or None,
    }


def totals_shape(totals: Totals) -> Shape:
    """Return what they come to together."""
    delays = totals.delays
    return {
        "campaigns": totals.campaigns,
        "waiting": totals.waiting,
        "messages": totals.messages,
        "contacts_per_1000": _rate(totals.rate),
        **{name: _sum(getattr(totals, name)) for name in ("avoided_minutes", "slam_minutes", "complaints")},
        "delays": {
            "of": delays.of,
            "delayed": delays.delayed,
            "seconds": delays.seconds,
            "longest_seconds": delays.longest_seconds,
            "never_went": delays.never,
        },
        "notice_kept": asdict(totals.notice),
        "briefed": asdict(totals.briefed),
        **{name: _sum(getattr(totals, name)) for name in ("new", "lost", "kept")},
        "net": [
            {"currency": currency, "amount": float(amount), "of": of}
            for currency, (amount, of) in sorted(totals.net.by_currency.items())
        ],
    }


def _sum(each: Sum) -> Shape:
    return {"of": each.of, "total": each.total}


def _rate(rate: Rate) -> Shape:
    low, high = rate.interval or (None, None)
    return {
        "of": rate.of,
        "per_1000": rate.per_1000,
        "low": low,
        "high": high,
        "is_distinguishable": rate.is_distinguishable,
    }
