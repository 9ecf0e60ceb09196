from dataclasses import replace
from decimal import Decimal

import pytest

from app.core.campaign.value import Figures, FiguresRefused, parse_figures

WORTH = {"new": 1200, "lost": 310, "kept": 90, "value_per_customer": 42.5, "net_value": None, "currency": "eur"}


def test_figures_are_taken_as_they_were_written():
    assert parse_figures(WORTH) == Figures(1200, 310, 90, Decimal("42.5"), None, "EUR")
    assert parse_figures({"net_value": 0.1, "currency": "USD"}).net == Decimal("0.1")
    assert parse_figures({}) == Figures()
    assert parse_figures({}).is_empty


def test_a_currency_without_an_amount_says_nothing():
    assert parse_figures({"new": 1, "currency": "EUR"}) == Figures(new=1)


def test_the_net_is_known_only_where_all_of_it_is():
    figures = parse_figures(WORTH)
    assert (figures.net_customers, figures.net) == (980, Decimal("41650.0"))
    assert replace(figures, kept=None).net is None
    assert replace(figures, value_per_customer=None).net is None
    assert replace(figures, net_value=Decimal(-5)).net == Decimal(-5)
    assert replace(figures, kept=0).net_customers == 890


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ({"new": -1}, "/new"),
        ({"new": 1.5}, "/new"),
        ({"lost": True}, "/lost"),
        ({"kept": "12"}, "/kept"),
        ({"new": 10**9 + 1}, "/new"),
        ({"value_per_customer": -0.01, "currency": "EUR"}, "/value_per_customer"),
        ({"value_per_customer": 0.0000001, "currency": "EUR"}, "/value_per_customer"),
        ({"net_value": float("nan"), "currency": "EUR"}, "/net_value"),
        ({"net_value": 1e13, "currency": "EUR"}, "/net_value"),
        ({"net_value": 5}, "/currency"),
        ({"net_value": 5, "currency": "euro"}, "/currency"),
        ({"net_value": 5, "currency": 978}, "/currency"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_is_said_where(document, pointer):
    with pytest.raises(FiguresRefused) as refused:
        parse_figures(document)
    assert pointer in [problem.pointer for problem in refused.value.problems]


def test_every_fault_is_named_at_once():
    with pytest.raises(FiguresRefused) as refused:
        parse_figures({"new": -1, "lost": "x", "net_value": 1})
    assert [problem.pointer for problem in refused.value.problems] == ["/new", "/lost", "/currency"]
