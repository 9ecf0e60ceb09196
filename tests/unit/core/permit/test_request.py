"""What may be asked of a permit, and what is said of the rest."""

import pytest

from app.core.permit.request import PermitRequest, RequestRefused, parse_request, parse_sent, parse_ttl


def problems_of(document: dict[str, object]) -> dict[str, str]:
    with pytest.raises(RequestRefused) as refused:
        parse_request(document)
    return dict(refused.value.problems)


def test_an_audience_is_all_that_is_needed():
    assert parse_request({"audience": 500}) == PermitRequest(500, "default", None, False, 3600, False, None)


def test_everything_is_read():
    document: dict[str, object] = {
        "audience": 1_000_000_000,
        "gate": "voice",
        "campaign": "spring",
        "accept_partial": True,
        "ttl_seconds": 86_400,
        "dry_run": True,
        "callback_url": "https://tool.example:8443/resume?run=7",
    }
    assert parse_request(document) == PermitRequest(**document)  # type: ignore[arg-type]


def test_null_says_as_much_as_nothing():
    nothing = dict.fromkeys(("gate", "campaign", "accept_partial", "ttl_seconds", "dry_run", "callback_url"))
    assert parse_request({"audience": 1} | nothing) == PermitRequest(1)


@pytest.mark.parametrize("audience", [0, -1, 1_000_000_001, 2.5, "500", True, [500], 10**30])
def test_an_audience_outside_its_range_is_refused_with_the_range(audience):
    assert list(problems_of({"audience": audience})) == ["/audience"]
    assert "from 1 to 1000000000" in problems_of({"audience": audience})["/audience"]


@pytest.mark.parametrize("document", [{}, {"audience": None}])
def test_an_ask_about_nobody_is_refused(document):
    assert "is required" in problems_of(document)["/audience"]


@pytest.mark.parametrize("ttl", [9, 86_401, 0, -10, 10.5, "60"])
def test_a_time_to_live_outside_its_range_is_refused(ttl):
    assert "from 10 to 86400" in problems_of({"audience": 1, "ttl_seconds": ttl})["/ttl_seconds"]


@pytest.mark.parametrize("member", ["gate", "campaign"])
@pytest.mark.parametrize("name", ["", " spring", "a\nb", "x" * 129, 7])
def test_a_name_that_is_none_is_refused(member, name):
    assert list(problems_of({"audience": 1, member: name})) == [f"/{member}"]


@pytest.mark.parametrize(
    "url",
    ["ftp://tool.example/x", "tool.example", "https://", "http://u:p@tool.example/", "https://tool.example/a b",
     "http://tool.example:no/", "https://[::1/", "https://tool.example/\x00", "https://tool.example/" + "x" * 2048, 7],
)  # fmt: skip
def test_a_callback_that_is_no_web_address_is_refused(url):
    assert "must be an http or https address" in problems_of({"audience": 1, "callback_url": url})["/callback_url"]


def test_every_fault_is_named_at_once():
    document = {"audience": 0, "ttl_seconds": 1, "accept_partial": "yes", "audeince": 5}
    assert list(problems_of(document)) == ["/audience", "/accept_partial", "/ttl_seconds", "/audeince"]


def test_a_renewal_needs_nothing_and_a_report_needs_the_total():
    assert parse_ttl({}) == 3600
    assert parse_ttl({"ttl_seconds": 10}) == 10
    assert parse_sent({"sent": 0}) == 0
    for document in ({}, {"sent": -1}, {"sent": 10_000_000_001}, {"sent": "5"}, {"sent": 5, "more": 1}):
        with pytest.raises(RequestRefused):
            parse_sent(document)
