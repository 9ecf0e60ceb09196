"""`holdfire check` and `holdfire wait`: the readiness answer for shell scripts and cron, by exit code."""

import random
import re
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, NamedTuple

import httpx2
import typer

from app.commands.output import USAGE, JsonFlag, fail, print_json

EXIT_CODES = {"send": 0, "throttle": 10, "hold": 20, "unknown": 30}
GO, HOLD, UNKNOWN = HTTPStatus.OK, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
DEFAULT_URL = "http://127.0.0.1:8000"
MAX_PAUSE_SECONDS = 300.0
UNREACHABLE_PAUSE_SECONDS = 10.0

UrlOption = Annotated[str, typer.Option("--url", envvar="HOLDFIRE_URL", help="Where holdfire listens.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="HOLDFIRE_API_KEY", help="API key; better set in HOLDFIRE_API_KEY.")
]
GateOption = Annotated[str, typer.Option("--gate", help="The gate to ask.")]
AudienceOption = Annotated[int | None, typer.Option("--audience", min=1, help="How many recipients the send has.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Which campaign asks.")]
PartialFlag = Annotated[bool, typer.Option("--accept-partial", help="You will send only as many as `allow` says.")]


class Reply(NamedTuple):
    """An answer: the state as one of EXIT_CODES' words, and the body as received."""

    state: str
    body: dict[str, Any]


class Unanswered(Exception):
    """holdfire could not be asked, or did not answer as holdfire does. lasting: asking again will not help."""

    def __init__(self, message: str, *, lasting: bool) -> None:
        super().__init__(message)
        self.lasting = lasting


def ask(url: str, key: str | None, parameters: Mapping[str, object]) -> Reply:
    """Return the readiness answer. Raises Unanswered for anything that is not one, so that it never reads as send."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    query = {name: _text(value) for name, value in parameters.items() if value not in (None, False)}
    try:
        response = httpx2.get(f"{url.rstrip('/')}/api/v1/readiness", params=query, headers=headers, timeout=10.0)
        body = response.json()
    except (httpx2.HTTPError, httpx2.InvalidURL) as fault:
        raise Unanswered(f"{url} cannot be asked: {fault}", lasting=False) from fault
    except ValueError as fault:
        raise Unanswered(
            f"{url} answered {response.status_code} with something that is not JSON", lasting=True
        ) from fault
    if response.status_code not in (GO, HOLD, UNKNOWN):
        detail = body.get("detail") if isinstance(body, dict) else None
        raise Unanswered(f"{url} answered {response.status_code}: {detail or body}", lasting=response.is_client_error)
    return Reply(_state(response.status_code, body), body)


def _text(value: object) -> str:
    return "true" if value is True else str(value)


def _state(status: int, body: object) -> str:
    """Return the state if status and body agree; raise otherwise, for then neither can be trusted."""
    if isinstance(body, dict):
        decision, proceed = body.get("decision"), body.get("proceed")
        if status == GO and proceed is True and decision in ("send", "throttle"):
            return str(decision)
        if status == HOLD and proceed is False and decision in ("hold", "throttle"):
            return str(decision)
        if status == UNKNOWN and proceed is False and decision == "hold":
            return "unknown"
    raise Unanswered(f"status {status} and body do not agree; this is not holdfire's answer", lasting=True)


def check(
    gate: GateOption = "default",
    audience: AudienceOption = None,
    campaign: CampaignOption = None,
    accept_partial: PartialFlag = False,
    url: UrlOption = DEFAULT_URL,
    key: KeyOption = None,
    json: JsonFlag = False,
) -> None:
    """Ask once whether the send may go. Exit 0 send, 10 throttle, 20 hold, 30 unknown, 1 failed, 2 usage."""
    question = {"gate": gate, "audience": audience, "campaign": campaign, "accept_partial": accept_partial}
    try:
        reply = ask(url, key, question)
    except Unanswered as fault:
        fail(fault)
    _show(reply, json=json)
    raise typer.Exit(EXIT_CODES[reply.state])


def wait(
    gate: GateOption = "default",
    audience: AudienceOption = None,
    campaign: CampaignOption = None,
    accept_partial: PartialFlag = False,
    timeout: Annotated[str, typer.Option("--timeout", help="Give up after, e.g. 90s, 30m, 2h.")] = "2h",
    url: UrlOption = DEFAULT_URL,
    key: KeyOption = None,
    json: JsonFlag = False,
) -> None:
    """Ask until the send may go. Exit 0 then; at the timeout exit as `check` would with the last answer."""
    question = {"gate": gate, "audience": audience, "campaign": campaign, "accept_partial": accept_partial}
    deadline = time.monotonic() + _seconds(timeout)
    reply: Reply | None = None
    while True:
        pause, trouble = UNREACHABLE_PAUSE_SECONDS, ""
        try:
            reply = ask(url, key, question)
            pause = float(reply.body.get("retry_after_seconds") or 1)
        except Unanswered as fault:
            if fault.lasting:
                fail(fault)
            reply, trouble = None, str(fault)
        if reply and reply.body["proceed"]:
            break
        left = deadline - time.monotonic()
        if left <= 0:
            if reply is None:
                fail(trouble)
            break
        time.sleep(min(left, pause * random.uniform(1.0, 1.1), MAX_PAUSE_SECONDS))  # noqa: S311 - spreads the asking
    _show(reply, json=json)
    raise typer.Exit(EXIT_CODES[reply.state])


def _seconds(text: str) -> float:
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m|h)?", text)
    if not match:
        fail(f"--timeout={text!r} must be a number with s, m or h, such as 90s or 2h", USAGE)
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]


def _show(reply: Reply, *, json: bool) -> None:
    if json:
        print_json(reply.body)
        return
    print(f"{reply.state.upper()}  {reply.body.get('summary', '')}")
    for reason in reply.body.get("reasons", []):
        print(f"  {'>' if reason.get('binding') else '-'} {reason.get('message', '')}")
    if reply.body.get("retry_at"):
        print(f"  ask again at {reply.body['retry_at']} (in {reply.body['retry_after_seconds']} s)")
