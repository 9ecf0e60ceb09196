"""The sources' HTTP client against a real server that does everything wrong that servers do."""

import gzip
import threading

import httpx2
import pytest

from app.errors import Invalid
from tests.support.vendors.strict import (
    Answer,
    Broken,
    Cut,
    Limited,
    Silent,
    Truncated,
    Vendor,
    must_be,
    must_bear,
    must_sign_in,
    serving,
)
from workers.systems.faults import BadAnswer, RateLimited, Refused, SourceFault, TranslateError
from workers.systems.table import Table
from workers.systems.web import LARGEST_BYTES, Reach, Web, json_of, reach_of, shown_url

TOKEN = "t0ken-c4nary"
CALLER = "+1 555 0100 100"


class Queues(Vendor):
    """Says one thing at one address, to who has the token."""

    said: Answer = Answer({"waiting": 3, "caller": CALLER})

    def answer(self, asked):
        must_be(asked, "GET", "/queues")
        must_bear(asked, TOKEN)
        return self.said


@pytest.fixture
def vendor():
    with serving(Queues()) as vendor:
        yield vendor


def reach(**values):
    return reach_of(Table("sources[0]", {"bearer_token": TOKEN, "timeout_seconds": 5} | values, {}))


async def asked(vendor, with_reach=None, path="/queues?secret=1"):
    async with Web(with_reach or reach()) as web:
        return await web.json("GET", vendor.url(path))


async def test_a_good_answer_is_read(vendor):
    assert await asked(vendor) == {"waiting": 3, "caller": CALLER}
    assert vendor.asked[0].params == {"secret": "1"}
    assert vendor.complaints == []


@pytest.mark.parametrize(
    ("trouble", "fault", "sentence"),
    [
        (Limited("7"), RateLimited, "answered HTTP 429: it wants to be asked less often"),
        (Limited("7", status=503), RateLimited, "answered HTTP 503: it wants to be asked less often"),
        (Broken(), BadAnswer, "answered HTTP 500"),
        (Broken(503), BadAnswer, "answered HTTP 503"),
        (Broken(401), Refused, "answered HTTP 401: it does not accept our credentials"),
        (Broken(403), Refused, "answered HTTP 403: it does not accept our credentials"),
        (Broken(302), SourceFault, "answered HTTP 302: redirects are not followed; configure the final URL"),
        (Truncated(), TranslateError, r"is not JSON \(Input data was truncated\)"),
        (Cut(), SourceFault, "cannot be reached: RemoteProtocolError"),
    ],
)
async def test_every_trouble_is_a_fault_that_quotes_nothing(vendor, trouble, fault, sentence):
    vendor.troubles.append(trouble)
    with pytest.raises(fault, match=sentence) as raised:
        await asked(vendor)
    assert type(raised.value) is fault
    assert not any(word in str(raised.value) for word in (CALLER, TOKEN, "secret", "Oops"))
    assert getattr(raised.value, "retry_after_seconds", 7) == 7


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"queue": "a", "waiting": 50, "waiting": 0}', "the answer says 'waiting' twice in one object"),
        (b'{"rows": [{"w": 1, "\\u0077": 1}]}', "the answer says 'w' twice in one object"),
        (b'{"+1 555 0100 100": 1, "+1 555 0100 100": 1}', "the answer says a member twice in one object"),
    ],
    ids=["told twice", "told twice in other letters", "named by a caller"],
)
def test_a_member_that_is_there_twice_is_not_guessed(body, said):
    with pytest.raises(TranslateError, match=said):
        json_of(body, "the answer")


def test_a_fault_of_json_says_its_line():
    with pytest.raises(TranslateError, match=r"\(byte 14\), line 3\)"):
        json_of(b'{\n  "a": 1,\n  x\n}', "the sample")


def test_one_name_in_two_objects_is_plain_json():
    assert json_of(b'[{"w": 1, "in": {"w": 2}}, {"w": 3}]', "it") == [{"w": 1, "in": {"w": 2}}, {"w": 3}]


NEARLY = {
    "no number": b"NaN",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "two": b"{} {}",
    "far too deep": b"[" * 100_000,
    "no text": b"\xff",
    "a comma more": b'{"a": 1,}',
    "nothing": b"",
}


@pytest.mark.parametrize("body", NEARLY.values(), ids=NEARLY)
def test_what_is_nearly_json_is_none(body):
    with pytest.raises(TranslateError, match="the answer is not JSON"):
        json_of(body, "the answer")


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (Answer({"waiting": 0}, headers={"Age": "240"}), "was answered by a cache that has kept it for 240 s"),
        (Answer({"waiting": 0}, status=206), "answered HTTP 206: a part of an answer"),
    ],
    ids=["kept", "partial"],
)
async def test_what_is_old_or_a_part_is_not_how_it_stands(vendor, answer, sentence):
    vendor.said = answer
    with pytest.raises(SourceFault, match=sentence):
        await asked(vendor)
    assert vendor.asked[0].headers["cache-control"] == "no-cache"


async def test_a_silent_server_has_only_so_much_time(vendor):
    until = threading.Event()
    vendor.troubles.append(Silent(until))
    with pytest.raises(SourceFault, match=r"gave no whole answer within 0\.1 s"):
        await asked(vendor, reach(timeout_seconds=0.1))
    until.set()


async def test_an_endless_answer_is_cut_off(vendor):
    vendor.said = Answer(b"[" + b" " * LARGEST_BYTES + b"]")
    with pytest.raises(SourceFault, match="answered more than 8,388,608 bytes"):
        await asked(vendor)


BOMB = gzip.compress(b"[" + b" " * LARGEST_BYTES * 4 + b"]", mtime=0)


@pytest.mark.parametrize(
    ("packing", "body", "sentence"),
    [
        ("gzip", BOMB, "answered more than 8,388,608 bytes"),
        ("gzip, gzip", gzip.compress(BOMB, mtime=0), "in a packing that it was not asked for"),
        ("deflate", b"{}", "in a packing that it was not asked for"),
        ("gzip", gzip.compress(b'{"waiting": 0}', mtime=0)[:-9], "in gzip that ends too early"),
        ("gzip", b'{"waiting": 0}', "in gzip that cannot be unpacked"),
    ],
)
async def test_what_is_packed_is_unpacked_within_bounds(vendor, packing, body, sentence):
    vendor.said = Answer(body, headers={"Content-Encoding": packing})
    with pytest.raises(SourceFault, match=sentence):
        await asked(vendor)


async def test_a_packed_answer_is_read(vendor):
    vendor.said = Answer(gzip.compress(b'{"waiting": 3}', mtime=0), headers={"Content-Encoding": "gzip"})
    assert await asked(vendor) == {"waiting": 3}
    assert vendor.asked[0].headers["accept-encoding"] == "gzip"


async def test_a_url_that_cannot_be_asked_for_is_a_fault_that_does_not_quote_it():
    async with Web(reach()) as web:
        with pytest.raises(SourceFault, match="the configured URL cannot be asked for") as raised:
            await web.json("GET", f"http://xn--{'a' * 70}..example/?key={TOKEN}")
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("values", [{"headers": {"X-Key": "pässword"}}, {"bearer_token": "pässword"}])
def test_secrets_that_http_cannot_carry_are_refused_with_the_configuration(values):
    with pytest.raises(Invalid, match="not ASCII") as raised:
        reach_of(Table("sources[0]", values, {}))
    assert "ssword" not in str(raised.value)


@pytest.mark.parametrize("body", [b"", b"NaN", b'{"a": NaN}', b"{} {}", b"\xff", b"[" * 200_000, b"<html>"])
async def test_what_is_not_json_is_a_fault(vendor, body):
    vendor.said = Answer(body)
    with pytest.raises(TranslateError, match=r"the answer of http://127\.0\.0\.1:[0-9]+/queues is not JSON"):
        await asked(vendor)


async def test_nobody_there_is_a_fault():
    with serving(Queues()) as vendor:
        pass
    with pytest.raises(SourceFault, match="cannot be reached: Connection refused"):
        await asked(vendor)


async def test_wrong_credentials_and_paths_are_refused_by_the_fake_itself(vendor):
    with pytest.raises(Refused):
        await asked(vendor, reach(bearer_token="other"))
    with pytest.raises(SourceFault, match="HTTP 404"):
        await asked(vendor, path="/queue")
    assert [each.partition(": ")[2] for each in vendor.complaints] == [
        "the bearer token is missing or wrong",
        "there is no /queue",
    ]


async def test_basic_credentials_and_headers_are_sent():
    class Signed(Vendor):
        def answer(self, asked):
            must_sign_in(asked, "ann", "pw")
            return Answer({"tenant": asked.headers["x-tenant"]})

    table = Table("sources[0]", {"username": "ann", "password": "pw", "headers": {"X-Tenant": "seven"}}, {})
    with serving(Signed()) as vendor:
        assert await asked(vendor, reach_of(table)) == {"tenant": "seven"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"username": "ann"}, "username: and password go together"),
        ({"username": "ann", "password": "x", "bearer_token": "y"}, "bearer_token: and username are both there"),
        ({"ca_file": "/nowhere.pem"}, r"ca_file: /nowhere.pem cannot be used"),
        ({"timeout_seconds": 0}, "timeout_seconds: 0 is not allowed"),
        ({"proxy": "x"}, "proxy: is not a URL"),
    ],
)
def test_a_bad_reach_is_refused_naming_the_key(values, sentence):
    with pytest.raises(Invalid, match=sentence):
        reach_of(Table("sources[0]", values, {}))


def test_what_may_hold_secrets_is_not_shown():
    assert "pw" not in repr(Reach(auth=httpx2.BasicAuth("ann", "pw"), headers={"X": "pw"}))
    assert shown_url("https://ann:pw@acd.example/v1?key=pw#pw") == "https://acd.example/v1"
