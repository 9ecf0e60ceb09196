import pytest

from app.services.origins import origin_allowed


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://127.0.0.1:8000", "127.0.0.1:8000"),
        ("https://hold.example", "hold.example"),
        ("https://hold.example", "hold.example:443"),
        ("http://hold.example:80", "hold.example"),
        ("https://HOLD.example", "hold.EXAMPLE"),
        ("http://[::1]:8000", "[::1]:8000"),
    ],
)
def test_our_own_pages_may(origin, host):
    assert origin_allowed(origin, host, ())


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "hold.example"),
        ("https://hold.example.evil.example", "hold.example"),
        ("https://hold.example:8443", "hold.example"),
        ("http://127.0.0.1:9000", "127.0.0.1:8000"),
        ("null", "hold.example"),
        ("", "hold.example"),
        ("file://", ""),
        ("https://", ""),
        ("https://hold.example:no", "hold.example:no"),
        ("http://[::1", "[::1"),
    ],
)
def test_everybody_elses_may_not(origin, host):
    assert not origin_allowed(origin, host, ())


def test_an_operator_may_name_others_exactly():
    allowed = ("https://board.example",)
    assert origin_allowed("https://board.example", "hold.example", allowed)
    assert not origin_allowed("http://board.example", "hold.example", allowed)
