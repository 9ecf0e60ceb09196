from contextlib import nullcontext

import pytest
from fastapi import FastAPI

from app.api.middleware import MAX_BODY_BYTES, RequestShell, install_middleware
from app.api.problems import install_problem_handlers
from app.errors import HoldfireError
from app.services.agreement import before_answering
from tests.support.api import an_api

OBSERVATIONS = "/api/v1/observations"


async def exchange(app, path=OBSERVATIONS, chunks=(), method="POST", headers=()):
    """Send one request chunk by chunk; return status, headers, body, and how many chunks were read."""
    sent, read = [], 0

    async def receive():
        nonlocal read
        read += 1
        return {"type": "http.request", "body": chunks[read - 1], "more_body": read < len(chunks)}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": list(headers), "http_version": "1.1", "scheme": "http", "root_path": "",
    }  # fmt: skip
    await app(scope, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], read


async def test_an_announced_body_above_the_limit_is_refused_unread():
    api = await an_api(auth="off")
    length = (b"content-length", str(MAX_BODY_BYTES + 1).encode())
    status, headers, body, read = await exchange(api, chunks=[b"x"], headers=[length])
    assert (status, read) == (413, 0)
    assert headers[b"connection"] == b"close"
    assert headers[b"content-type"] == b"application/problem+json"
    assert b"1,048,576" in body


async def test_an_absurd_length_is_too_large_too():
    api = await an_api(auth="off")
    status, _, _, _ = await exchange(api, chunks=[b""], headers=[(b"content-length", b"9" * 5_000)])
    assert status == 413


async def test_a_body_of_unannounced_length_is_read_only_to_the_limit():
    api = await an_api(auth="off")
    chunk = b" " * (256 * 1024)
    headers = [(b"content-type", b"application/json"), (b"transfer-encoding", b"chunked")]
    status, answered, _, read = await exchange(api, chunks=[chunk] * 100, headers=headers)
    assert (status, read) == (413, 5)
    assert answered[b"connection"] == b"close"


async def test_a_body_of_exactly_the_limit_is_read():
    api = await an_api(auth="off")
    body = b'{"queue":"q","observed_at":"2026-11-21T15:00:00Z","backlog":1}'
    padded = body + b" " * (MAX_BODY_BYTES - len(body))
    status, _, _, _ = await exchange(api, chunks=[padded], headers=[(b"content-type", b"application/json")])
    assert status == 200


async def test_the_callers_request_id_comes_back_and_harmful_ones_are_replaced():
    api = await an_api()
    async with api.client() as client:
        kept = await client.get("/livez", headers={"X-Request-ID": "trace-1.a:b"})
        replaced = await client.get("/livez", headers={"X-Request-ID": 'x" injected'})
        problem = await client.get("/api/v1/nothing", headers={"X-Request-ID": "trace-2"})
    assert kept.headers["x-request-id"] == "trace-1.a:b"
    assert replaced.headers["x-request-id"].startswith("req_")
    assert problem.json()["request_id"] == problem.headers["x-request-id"] == "trace-2"


async def test_api_answers_are_neither_stored_nor_sniffed():
    api = await an_api()
    async with api.client("read") as client:
        answer = await client.get("/api/v1/floor")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/api/v1/nowhere", 404),
        ("PATCH", "/api/v1/gates", 405),
        ("GET", OBSERVATIONS, 405),
    ],
)
async def test_the_routers_own_errors_are_problems(method, path, status):
    api = await an_api()
    async with api.client() as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert answer.json()["instance"] == path
    assert (status == 405) == ("allow" in answer.headers)


async def test_a_fault_of_ours_is_a_500_that_tells_nothing_but_where_to_look(caplog):
    app = FastAPI()

    @app.get("/api/boom")
    async def boom() -> None:
        raise ZeroDivisionError("secret detail")

    install_problem_handlers(app)
    install_middleware(app)
    status, headers, body, _ = await exchange(app, "/api/boom", [b""], "GET", [(b"x-request-id", b"trace-9")])
    assert status == 500
    assert headers[b"content-type"] == b"application/problem+json"
    assert b"trace-9" in body
    assert b"secret" not in body
    assert b"ZeroDivision" not in body
    assert any("request_failed" in record.message and record.exc_info for record in caplog.records)


async def test_what_is_kept_but_cannot_be_read_is_a_503_that_tells_nothing_of_our_insides(monkeypatch, caplog):
    api = await an_api(auth="off")

    async def broken(*_):
        raise HoldfireError("the database could not be read: disk I/O error")

    monkeypatch.setattr(api.services.gates._store, "gates", broken)
    async with api.client() as client:
        answer = await client.get("/api/v1/gates")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert answer.json()["type"].endswith("unavailable")
    assert "disk" not in answer.text
    assert any(record.exc_info and "disk I/O" in str(record.exc_info[1]) for record in caplog.records)


async def test_validation_errors_point_into_the_query():
    api = await an_api()
    async with api.client("read") as client:
        answer = await client.get(
            "/api/v1/history", params={"queue": "q", "metric": "mood", "points": 0, "from": "noon"}
        )
    assert answer.status_code == 422
    pointers = {error["pointer"]: error["detail"] for error in answer.json()["errors"]}
    assert set(pointers) == {"/query/metric", "/query/points", "/query/from"}
    assert "backlog" in pointers["/query/metric"]
    assert "RFC 3339" in pointers["/query/from"]


async def test_a_wrong_method_is_told_all_that_are_allowed_at_the_path():
    api = await an_api(auth="off")
    async with api.client() as client:
        answer = await client.put("/api/v1/permits", json={})
        other = await client.post("/api/v1/keys/ab12cd34", json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")
    assert "allowed: GET, POST" in answer.json()["detail"]
    assert other.headers["allow"] == "DELETE, GET, PATCH"


@pytest.mark.parametrize("fails", [False, True], ids=["answered", "failed"])
async def test_what_a_request_changed_is_known_to_all_before_its_answer_begins_however_it_ends(fails):
    done = []

    async def known():
        done.append("known")

    async def app(_scope, _receive, send):
        await before_answering(1, known)
        done.append("changed")
        if fails:
            raise RuntimeError("broken")
        await send({"type": "http.response.start", "status": 200, "headers": []})

    async def receive():
        return {"type": "http.disconnect"}

    async def send(message):
        done.append(message["type"])

    scope = {"type": "http", "method": "POST", "path": OBSERVATIONS, "headers": []}
    await RequestShell(app, lambda _: nullcontext())(scope, receive, send)
    assert done[:3] == ["changed", "known", "http.response.start"]
