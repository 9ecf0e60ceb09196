"""Logs: one JSON object per line, uvicorn's like ours, the request's id on each, and no secret in any."""

import io
import json
import logging

import httpx2
import pytest

from app.telemetry.logs import configure_logs, request_context

SECRET = "0123456789abcdefghijklmnopqrstuvwxyzABCDEF"


@pytest.fixture
def lines():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("info", "json", stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root.handlers[:] = before
    root.setLevel(level)


def test_an_event_is_one_json_object_with_its_values(lines):
    logging.getLogger("app.store").warning("checkpoint_failed", extra={"gate": "default", "kept": 3})
    (line,) = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "checkpoint_failed",
        "level": "warning",
        "logger": "app.store",
        "gate": "default",
        "kept": 3,
    }


def test_uvicorns_lines_look_like_ours(lines):
    log = logging.getLogger("uvicorn.error")
    log.info("Started server process [%d]", 7, extra={"color_message": "\x1b[36mStarted"})
    (line,) = lines()
    assert (line["event"], line["logger"], "color_message" in line) == (
        "Started server process [7]",
        "uvicorn.error",
        False,
    )


def test_configuring_twice_does_not_double_the_lines(lines):
    stream = io.StringIO()
    configure_logs("warning", "json", stream)
    logging.getLogger("app").info("below_the_level")
    logging.getLogger("app").warning("said_once")
    assert lines() == []
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["said_once"]


def test_lines_of_a_request_carry_its_id_and_later_ones_do_not(lines):
    with request_context("req_1"):
        logging.getLogger("app").info("inside")
    logging.getLogger("app").info("outside")
    assert [line.get("request_id") for line in lines()] == ["req_1", None]


@pytest.mark.parametrize(
    "text",
    [
        f"hf_live_ab12cd34_{SECRET}",
        f"Authorization: Bearer {SECRET}",
        f"Bearer hf_live_ab12cd34_{SECRET}",
        f"whsec_{SECRET}",
        f"GET https://hold.example/join/{SECRET} HTTP/1.1",
        f"GET /api/v1/campaigns.ics?token=hfc_{SECRET} HTTP/1.1",
        f"postgresql://holdfire:{SECRET}@localhost/holdfire",
    ],
)
def test_what_looks_like_a_secret_is_hidden_wherever_it_stands(lines, text):
    log = logging.getLogger("app")
    log.info("said %s", text)
    log.info("value", extra={"detail": {"deep": [text]}})
    log.error("failed", exc_info=ValueError(text))
    said = json.dumps(lines())
    assert len(lines()) == 3
    assert SECRET not in said
    assert said.count("[hidden]") >= 3


@pytest.mark.parametrize("name", ["client_secret", "password", "Authorization", "set_cookie", "api_key", "tokens"])
def test_what_is_called_a_secret_is_hidden(lines, name):
    logging.getLogger("app").info("value", extra={"fields": {name: "plain"}, "kept": "plain"})
    (line,) = lines()
    assert (line["fields"], line["kept"]) == ({name: "[hidden]"}, "plain")


def test_a_key_is_still_recognisable_by_its_id(lines):
    logging.getLogger("app").info("refused", extra={"header": f"hf_live_ab12cd34_{SECRET}"})
    assert lines()[0]["header"] == "hf_live_ab12cd34_[hidden]"


def test_a_terminal_gets_readable_lines_not_json():
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    try:
        configure_logs("info", "console", stream)
        logging.getLogger("app").info("gate_changed", extra={"gate": "default"})
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    assert "gate_changed" in stream.getvalue()
    assert "gate=default" in stream.getvalue()


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_the_url_of_a_receiver_is_in_no_line(level):
    stream = io.StringIO()
    root, before = logging.getLogger(), logging.getLogger().handlers[:]
    configure_logs(level, "json", stream)
    try:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(204))) as client:
            await client.post(f"https://hooks.example.com/services/{SECRET}")
    finally:
        root.handlers[:] = before
        root.setLevel("WARNING")
    assert SECRET not in stream.getvalue()
