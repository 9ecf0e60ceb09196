"""What a campaign was worth: customers it won, lost and kept, as people report them; and the net of it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from app.core.event import Actor
from app.core.gate.fields import shown
from app.core.problem import InputRefused, Problem

MOST_CUSTOMERS = 1_000_000_000
MOST_MONEY = Decimal(1_000_000_000_000)
PLACES = 6
FIGURES = ("new", "lost", "kept")
AMOUNTS = ("value_per_customer", "net_value")
MEMBERS = (*FIGURES, *AMOUNTS, "currency")
_CURRENCY_LETTERS = 3


class Source(StrEnum):
    """How figures came in."""

    FORM = "form"
    FILE = "file"
    API = "api"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was reported. new, lost, kept: customers, 0 or more; None: not known, which is not 0.

    value_per_customer: what one is worth; net_value: an amount that was reckoned elsewhere, in place of the formula.
    Both in units of currency (three letters, as EUR), which is "" only where neither is given.
    """

    new: int | None = None
    lost: int | None = None
    kept: int | None = None
    value_per_customer: Decimal | None = None
    net_value: Decimal | None = None
    currency: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return self == Figures()

    @property
    def net_customers(self) -> int | None:
        """Those won and kept, less those lost; None unless all three are known."""
        if self.new is None or self.lost is None or self.kept is None:
            return None
        return self.new + self.kept - self.lost

    @property
    def net(self) -> Decimal | None:
        """The amount that was given; else (new + kept) x value - lost x value; None where that is not known."""
        if self.net_value is not None:
            return self.net_value
        if self.net_customers is None or self.value_per_customer is None:
            return None
        return self.net_customers * self.value_per_customer


@dataclass(frozen=True, slots=True)
class CampaignValue:
    """One revision of a campaign's figures: 1, 2, ...; who reported them, when, and how."""

    campaign: str
    revision: int
    figures: Figures
    source: Source
    by: Actor
    at: datetime


class FiguresRefused(InputRefused):
    """Figures cannot be taken as given; `problems` names each fault."""

    what = "value figures"


def parse_figures(document: Mapping[str, object]) -> Figures:
    """Return the figures of a JSON-ready document; a member that is missing or None is not known.

    Raises FiguresRefused with every fault.
    """
    problems = [
        Problem(f"/{name}", f"there is no member {shown(name)}; there are {', '.join(MEMBERS)}")
        for name in document
        if name not in MEMBERS
    ]
    figures = Figures(
        new=_count(document.get("new"), "new", problems),
        lost=_count(document.get("lost"), "lost", problems),
        kept=_count(document.get("kept"), "kept", problems),
        value_per_customer=_money(document.get("value_per_customer"), "value_per_customer", problems),
        net_value=_money(document.get("net_value"), "net_value", problems),
        currency=_currency(document.get("currency"), problems),
    )
    given = [name for name in AMOUNTS if document.get(name) is not None]
    if given and not document.get("currency"):
        problems.append(Problem("/currency", f"{given[0]} needs its currency, three letters such as EUR"))
    if problems:
        raise FiguresRefused(problems)
    return figures if given else replace(figures, currency="")


def _count(value: object, name: str, problems: list[Problem]) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_CUSTOMERS):
        return value
    detail = f"{_said(value)} must be a whole number of customers from 0 to {MOST_CUSTOMERS:,}"
    problems.append(Problem(f"/{name}", detail))
    return None


def _money(value: object, name: str, problems: list[Problem]) -> Decimal | None:
    if value is None:
        return None
    amount = _decimal(value)
    least = Decimal(0) if name == "value_per_customer" else -MOST_MONEY
    if amount is None or not least <= amount <= MOST_MONEY or amount != round(amount, PLACES):
        detail = f"{_said(value)} must be an amount from {least:,} to {MOST_MONEY:,}, with at most {PLACES} decimals"
        problems.append(Problem(f"/{name}", detail))
        return None
    return amount


def _said(value: object) -> str:
    return str(value) if isinstance(value, Decimal) else shown(value)


def _decimal(value: object) -> Decimal | None:
    """Return a number as what was written: 0.1 is a tenth; None for anything that is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() else None


def _currency(value: object, problems: list[Problem]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str) and len(value) == _CURRENCY_LETTERS and value.isascii() and value.isalpha():
        return value.upper()
    problems.append(Problem("/currency", f"{shown(value)} must be the three letters of a currency, such as EUR"))
    return ""
