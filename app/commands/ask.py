"""`holdfire check` and `holdfire wait`: the readiness answer for shell scripts and cron, by exit code."""

from typing import Annotated

import typer

from app.client import Answer, AsyncHoldfire, NotCleared, Unanswered
from app.commands.options import (
    DEFAULT_URL,
    EXIT_CODES,
    AudienceOption,
    CampaignOption,
    GateOption,
    KeyOption,
    PartialFlag,
    UrlOption,
    seconds_of,
)
from app.commands.output import JsonFlag, print_json
from app.commands.talking import TIMEOUT_SECONDS, talk
from app.commands.waiting import WaitingLine, waiting_for


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

    async def ask(holdfire: AsyncHoldfire) -> Answer:
        return await holdfire.ready(gate, audience, campaign, accept_partial=accept_partial)

    _end(talk(url, key, ask), json=json)


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
    seconds = seconds_of("--timeout", timeout)

    async def ask(holdfire: AsyncHoldfire) -> Answer:
        line = WaitingLine()

        def watch(last: Answer | Unanswered, pause: float) -> None:
            line.show(f"{gate}: {waiting_for(last)}", pause)

        try:
            return await holdfire.wait_until_clear(
                gate, audience, campaign, accept_partial=accept_partial, timeout=seconds, watch=watch
            )
        except NotCleared as over:
            if isinstance(over.last, Answer):
                return over.last
            raise over.last from over
        finally:
            line.clear()

    _end(talk(url, key, ask, timeout=min(TIMEOUT_SECONDS, max(1.0, seconds))), json=json)


def _end(answer: Answer, *, json: bool) -> None:
    """Print an answer and exit by it: 0 for a send, and for nothing else."""
    if json:
        print_json(answer.body)
    else:
        _show(answer)
    raise typer.Exit(EXIT_CODES[answer.state])


def _show(answer: Answer) -> None:
    print(f"{answer.state.upper()}  {answer.summary}")
    for reason in answer.reasons:
        print(f"  {'>' if reason.get('binding') else '-'} {reason.get('message', '')}")
    if answer.retry_after_seconds is not None:
        print(f"  ask again in {answer.retry_after_seconds:g} s")
