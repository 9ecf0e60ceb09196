"""What Postfix sends, cut anywhere, and what makes no sense."""

from contextlib import suppress
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.postfix.protocol import DUNNO, ProtocolFault, Question, Requests, deferral, text_fault

# As Postfix 3.7 sends it, but for the names in it.
DATA = b"""\
request=smtpd_access_policy
protocol_state=DATA
protocol_name=ESMTP
client_address=192.0.2.7
client_name=app-1.shop.example
client_port=51234
reverse_client_name=app-1.shop.example
server_address=192.0.2.1
server_port=25
helo_name=app-1
sender=news@shop.example
recipient=
recipient_count=3
queue_id=8045F2AB23
instance=7b.5f0.1a2b.0
size=2048
etrn_domain=
stress=
sasl_method=plain
sasl_username=newsletter
sasl_sender=
policy_context=bulk

"""
ASKED = Question(
    state="DATA",
    sender="news@shop.example",
    recipient_count=3,
    sasl_user="newsletter",
    client_address="192.0.2.7",
    client_name="app-1.shop.example",
    context="bulk",
    instance="7b.5f0.1a2b.0",
)


def a_request(**values):
    given = {"request": "smtpd_access_policy", "protocol_state": "RCPT"} | values
    return "".join(f"{name}={value}\n" for name, value in given.items()).encode() + b"\n"


def read(data):
    return list(Requests().feed(data))


def test_a_request_of_postfix_is_understood():
    assert read(DATA) == [ASKED]


def test_requests_that_come_together_are_told_apart_in_order():
    assert [each.sender for each in read(a_request(sender="a@x.example") + a_request(sender="b@x.example"))] == [
        "a@x.example",
        "b@x.example",
    ]


@given(st.lists(st.integers(0, 2 * len(DATA)), max_size=12))
def test_it_does_not_matter_where_requests_are_cut(cuts):
    whole, requests = DATA * 2, Requests()
    asked: list[Question] = []
    edges = [0, *sorted(cuts), len(whole)]
    for start, end in pairwise(edges):
        asked += requests.feed(whole[start:end])
    assert asked == [ASKED, ASKED]
    assert requests.is_between


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_any_bytes_are_questions_or_a_fault_and_nothing_else(pieces):
    requests, asked = Requests(), list[Question]()
    with suppress(ProtocolFault):
        asked = [each for piece in pieces for each in requests.feed(piece)]
    assert asked == []


@given(
    st.dictionaries(
        st.text("abc_", min_size=1), st.text(st.characters(codec="utf-8", exclude_characters="\n\0"), max_size=20)
    )
)
def test_what_it_does_not_know_is_passed_over(more):
    assert read(a_request(**more))[0].state == "RCPT"


@pytest.mark.parametrize(
    "data",
    [
        b"\n",
        b"\n\n",
        b"request=smtpd_access_policy\n\n",
        b"protocol_state=RCPT\n\n",
        b"request=junk\nprotocol_state=RCPT\n\n",
        b"request=smtpd_access_policy\nprotocol_state=\n\n",
        a_request()[:-1] + b"no equals sign\n\n",
        a_request()[:-1] + b"=no name\n\n",
        a_request(sender="a\0b"),
        a_request(recipient_count="-1"),
        a_request(recipient_count="3.0"),
        a_request(recipient_count="1e3"),
        a_request(recipient_count="٣"),
        a_request(recipient_count="9999999"),
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n\n\n",
        b"x" * 65_537,
        a_request(sender="x" * 65_537),
    ],
)
def test_what_makes_no_sense_is_a_fault(data):
    with pytest.raises(ProtocolFault):
        read(data)


def test_a_fault_quotes_nothing_of_what_came():
    with pytest.raises(ProtocolFault) as fault:
        read(b"request=smtpd_access_policy\nperson@customers.example\n\n")
    assert "person" not in str(fault.value)


def test_of_a_name_that_comes_twice_the_first_counts():
    assert read(a_request()[:-1] + b"sender=a@x\nsender=b@x\n\n")[0].sender == "a@x"


@pytest.mark.parametrize(
    ("state", "count", "recipients"),
    [
        ("RCPT", 0, 1),
        ("rcpt", 0, 1),
        ("DATA", 3, 3),
        ("END-OF-MESSAGE", 1, 1),
        ("DATA", 0, None),
        ("MAIL", 0, None),
        ("VRFY", 0, None),
        ("SOMETHING", 9, None),
    ],
)
def test_how_many_recipients_a_pass_lets_through(state, count, recipients):
    (asked,) = read(a_request(protocol_state=state, recipient_count=count))
    assert asked.recipients == recipients


def test_a_state_nobody_knows_is_not_repeated():
    assert read(a_request(protocol_state="person@customers.example"))[0].state == "OTHER"


def test_the_answers_are_one_line_and_an_empty_one():
    assert deferral("contact center busy") == b"action=DEFER_IF_PERMIT 4.7.1 contact center busy\n\n"
    assert DUNNO == b"action=DUNNO\n\n"


@pytest.mark.parametrize(
    "text", ["", " busy", "busy ", "busy\naction=OK", "busy\r", "b\0", "besetzt, später", "x" * 201]
)
def test_a_text_that_would_not_stay_one_line_is_refused(text):
    assert text_fault(text)
    with pytest.raises(ValueError, match="printable ASCII"):
        deferral(text)
