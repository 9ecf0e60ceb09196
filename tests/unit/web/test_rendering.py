"""Pages are packed for who can unpack them, to a length that says nothing about what is in them."""

import gzip
from types import SimpleNamespace

from jinja2 import DictLoader, Environment
from starlette.requests import Request

from app.settings import Settings
from app.web.rendering import HEADERS, MOST_NOISE_BYTES, packed, page

PAGE = b"<!doctype html>" + b"<p>14 waiting, limit 10</p>" * 400


def asked(**headers: str) -> Request:
    sent = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    state = {"services": SimpleNamespace(settings=Settings(auth="off"))}
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": sent, "query_string": b""}
    return Request(scope | {"state": state})


def test_a_packed_page_is_the_page_at_a_small_part_of_its_length():
    assert gzip.decompress(packed(PAGE)) == PAGE
    assert len(packed(PAGE)) < len(PAGE) / 10


def test_the_length_of_the_same_page_varies():
    lengths = {len(packed(PAGE)) for _ in range(40)}
    assert len(lengths) > 10
    assert max(lengths) - min(lengths) <= MOST_NOISE_BYTES + 1


def test_a_page_is_packed_only_for_who_asks_for_it_and_keeps_its_headers():
    templates = Environment(loader=DictLoader({"long": PAGE.decode(), "short": "<p>hold</p>"}), autoescape=True)
    long = page(asked(accept_encoding="gzip, br"), templates, "long")
    assert long.headers["content-encoding"] == "gzip"
    assert gzip.decompress(long.body) == PAGE
    for answer in (page(asked(), templates, "long"), page(asked(accept_encoding="gzip"), templates, "short")):
        assert "content-encoding" not in answer.headers
        assert answer.headers["vary"] == "Accept-Encoding"
        assert HEADERS.items() <= {name: answer.headers[name] for name in HEADERS}.items()
