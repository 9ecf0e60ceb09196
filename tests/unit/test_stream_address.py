"""What HOLDFIRE_STREAM_URL may say."""

import pytest

from app.errors import Invalid
from app.settings import load_settings
from app.stream_address import StreamAddress, parse_stream_address


def test_a_plain_url_names_one_server_and_the_stream_that_is_called_like_us():
    address = parse_stream_address("nats://nats.example")
    assert address == StreamAddress(("nats.example:4222",), "holdfire", None, None, is_encrypted=False)


def test_a_full_url_names_several_servers_who_signs_in_and_the_stream():
    address = parse_stream_address("tls://me:p%40ss@a:1,[::1]:2,c/center-2")
    assert address.servers == ("a:1", "[::1]:2", "c:4222")
    assert (address.name, address.user, address.password) == ("center-2", "me", "p@ss")
    assert address.urls == ["tls://a:1", "tls://[::1]:2", "tls://c:4222"]


def test_a_user_without_a_password_is_a_token():
    address = parse_stream_address("nats://s3cret@a")
    assert (address.user, address.password) == ("s3cret", None)


def test_what_is_shown_has_no_secret():
    assert parse_stream_address("nats://me:pass@a/x").shown == "nats://a:4222/x"


@pytest.mark.parametrize(
    "url", ["http://a", "nats://", "nats://a:x", "nats://a/b/c", "nats://a?b=c", "nats://a,,b", "a"]
)
def test_what_names_no_stream_is_refused_with_what_is_allowed(url):
    with pytest.raises(ValueError, match=r"must be nats://\[user:password@\]host"):
        parse_stream_address(url)


def test_a_refused_url_is_told_without_its_password():
    with pytest.raises(Invalid) as refused:
        load_settings(environ={"HOLDFIRE_STREAM_URL": "nats://me:s3cret@there/a.b"})
    assert "HOLDFIRE_STREAM_URL='nats://***@there/a.b'" in str(refused.value)
    assert "s3cret" not in str(refused.value)
