import pytest

from app.core.webhooks.url import Target, parse_url, redacted


@pytest.mark.parametrize(
    ("url", "target", "authority"),
    [
        ("https://Hooks.Example.com", Target("https", "hooks.example.com", 443, "/"), "hooks.example.com"),
        ("http://h:8080/a/b?c=d&e", Target("http", "h", 8080, "/a/b?c=d&e"), "h:8080"),
        ("https://h:443/x", Target("https", "h", 443, "/x"), "h"),
        ("https://[2001:DB8::1]:444", Target("https", "2001:db8::1", 444, "/"), "[2001:db8::1]:444"),
        ("https://h?x=1", Target("https", "h", 443, "/?x=1"), "h"),
    ],
)
def test_a_url_is_taken_apart(url, target, authority):
    assert parse_url(url) == target
    assert target.authority == authority


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://h/", "https://"),
        ("h/path", "https://"),
        ("//h/path", "https://"),
        ("https://", "a host"),
        ("https:///path", "a host"),
        ("https://user:secret@h/", "no user name"),
        ("https://@h/", "no user name"),
        ("https://h/#part", "no fragment"),
        ("https://h/#", "no fragment"),
        ("https://h:0/", "port 0"),
        ("https://h:70000/", "is no URL"),
        ("https://[::1/", "is no URL"),
        ("https://h\\@evil/", "backslashes"),
        ("https://h /", "spaces"),
        ("https://h/\n", "ASCII"),
        ("https://bücher.example/", "xn--"),
        ("https://h/" + "x" * 2_000, "2,000"),
        ("", "https://"),
    ],
)
def test_a_bad_url_is_refused_with_the_reason(url, why):
    with pytest.raises(ValueError, match=why):
        parse_url(url)


def test_a_redacted_url_keeps_no_secret():
    assert (
        redacted("https://hooks.example.com:8443/services/T0/B0/secret?token=x") == "https://hooks.example.com:8443/…"
    )
    assert redacted("https://user:secret@h/x") == "https://h/…"
