"""Which rule a message comes under."""

from ipaddress import ip_network

import pytest

from app.postfix.protocol import Question
from app.postfix.rules import Rule, Terms, rule_for

BULK = Terms("default")


def asked(*, recipient_count=1, **values):
    return Question("DATA", recipient_count=recipient_count, **values)


@pytest.mark.parametrize(
    ("conditions", "question", "fits"),
    [
        ({}, {}, True),
        ({"senders": ("news@shop.example",)}, {"sender": "News@Shop.Example"}, True),
        ({"senders": ("news@shop.example",)}, {"sender": "xnews@shop.example"}, False),
        ({"senders": ("news@shop.example",)}, {"sender": "news@shop.example.evil.example"}, False),
        ({"senders": ("*@bulk.shop.example", "offers@*")}, {"sender": "offers@other.example"}, True),
        ({"senders": ("bounce+*@shop.example",)}, {"sender": "bounce+a=b.example@shop.example"}, True),
        ({"senders": ("*@*",)}, {"sender": ""}, False),
        ({"senders": ("news@shop.example",)}, {"sender": "news@shop.example."}, True),
        ({"senders": ("<>",)}, {"sender": ""}, True),
        ({"senders": ("<>",)}, {"sender": "."}, False),
        ({"senders": ("<>",)}, {"sender": "a@b"}, False),
        ({"sasl_users": ("news*",)}, {"sasl_user": "newsletter"}, True),
        ({"sasl_users": ("*",)}, {"sasl_user": ""}, False),
        ({"clients": (ip_network("10.1.0.0/16"),)}, {"client_address": "10.1.2.3"}, True),
        ({"clients": (ip_network("10.1.0.0/16"),)}, {"client_address": "::ffff:10.1.2.3"}, True),
        ({"clients": (ip_network("10.1.0.0/16"),)}, {"client_address": "10.2.0.1"}, False),
        ({"clients": (ip_network("10.1.0.0/16"),)}, {"client_address": "unknown"}, False),
        ({"clients": (ip_network("2001:db8::/32"),)}, {"client_address": "2001:db8::1"}, True),
        ({"clients": ("*.esp.example",)}, {"client_name": "out-7.ESP.example"}, True),
        ({"clients": ("*.esp.example",)}, {"client_name": "unknown"}, False),
        ({"contexts": ("bulk",)}, {"context": "bulk"}, True),
        ({"contexts": ("bulk",)}, {}, False),
        ({"least_recipients": 20}, {"recipient_count": 20}, True),
        ({"least_recipients": 20}, {"recipient_count": 19}, False),
        ({"senders": ("*@a",), "sasl_users": ("news",)}, {"sender": "x@a", "sasl_user": "news"}, True),
        ({"senders": ("*@a",), "sasl_users": ("news",)}, {"sender": "x@a", "sasl_user": "shop"}, False),
    ],
)
def test_a_rule_fits_when_all_its_conditions_do(conditions, question, fits):
    assert Rule("r", BULK, **conditions).fits(asked(**question)) is fits


def test_the_first_rule_that_fits_decides():
    receipts = Rule("receipts", None, senders=("receipts@*",))
    bulk = Rule("bulk", BULK, senders=("*@shop.example",))
    assert rule_for((receipts, bulk), asked(sender="receipts@shop.example")) is receipts
    assert rule_for((bulk, receipts), asked(sender="receipts@shop.example")) is bulk
    assert rule_for((receipts, bulk), asked(sender="anna@home.example")) is None


@pytest.mark.parametrize("senders", [(), ("*",), ("news@*", "**")])
def test_a_rule_for_whatever_sender_fits_all(senders):
    assert Rule("r", None, senders=senders).fits_all
    assert not Rule("r", None, senders=senders, contexts=("bulk",)).fits_all
