"""`holdfire release`: a send in waves, each with a permit of its own, by a command that sends one wave."""

import sys
from dataclasses import asdict
from typing import Annotated, Any, BinaryIO

import typer

from app.client import Answer, AsyncHoldfire, NotCleared, PermitAnswer, Unanswered
from app.commands.options import DEFAULT_URL, EXIT_CODES, CampaignOption, GateOption, KeyOption, UrlOption, seconds_of
from app.commands.output import FAILED, USAGE, JsonFlag, fail, print_json
from app.commands.release_plan import Plan, WaveResult
from app.commands.releasing import Release, ReleaseFailed
from app.commands.talking import talk
from app.commands.waiting import WaitingLine, waiting_for

MAX_AUDIENCE = 1_000_000_000


def release(
    audience: Annotated[
        int, typer.Option("--audience", min=1, max=MAX_AUDIENCE, help="How many recipients the whole send has.")
    ],
    wave_command: Annotated[
        str, typer.Option("--wave-command", help="Sends HOLDFIRE_WAVE_AUDIENCE of them, from HOLDFIRE_WAVE_OFFSET on.")
    ],
    gate: GateOption = "default",
    campaign: CampaignOption = None,
    wave_size: Annotated[int | None, typer.Option("--wave-size", min=1, help="The most one wave may have.")] = None,
    wave_gap: Annotated[str, typer.Option("--wave-gap", help="From the start of one wave to the next.")] = "10m",
    offset: Annotated[int, typer.Option("--offset", min=0, help="Go on from here: so many were sent before.")] = 0,
    timeout: Annotated[str, typer.Option("--timeout", help="Give up when one wave has waited so long.")] = "2h",
    stop_grace: Annotated[str, typer.Option("--stop-grace", help="From SIGTERM to SIGKILL for a wave.")] = "10s",
    url: UrlOption = DEFAULT_URL,
    key: KeyOption = None,
    json: JsonFlag = False,
) -> None:
    """Send in waves, a permit each. Exit 0 all sent, 20 or 30 given up while held or unknown, 1 failed, 2 usage."""
    if offset >= audience:
        fail(f"--offset={offset}: {audience:,} is the whole audience, so nobody is left; it must be below", USAGE)
    plan = Plan(
        gate,
        audience,
        wave_command,
        campaign,
        wave_size,
        seconds_of("--wave-gap", wave_gap),
        seconds_of("--timeout", timeout),
        seconds_of("--stop-grace", stop_grace),
        offset=offset,
    )

    async def work(holdfire: AsyncHoldfire) -> int:
        return await _carry_out(holdfire, plan, _JsonReport(plan) if json else _Report(plan))

    raise typer.Exit(talk(url, key, work))


async def _carry_out(holdfire: AsyncHoldfire, plan: Plan, report: "_Report") -> int:
    whole = Release(holdfire, plan, report, report.output)
    code, outcome, detail = FAILED, "stopped", "ended by a signal"
    try:
        await whole.run()
        code, outcome, detail = 0, "sent", ""
    except NotCleared as over:
        if isinstance(over.last, Answer):
            code, outcome = EXIT_CODES[over.last.state], over.last.state
        detail = f"given up: {waiting_for(over.last)}"
    except (ReleaseFailed, Unanswered) as fault:
        outcome, detail = "failed", str(fault)
    finally:
        report.ends(whole, outcome, detail)
    return code


class _Report:
    """Tells people: a line when a wave begins and when it is over, and one for each hold."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._line = WaitingLine()
        self._told: object = None

    @property
    def output(self) -> BinaryIO:
        """Where the wave command's own output goes."""
        return sys.stdout.buffer

    def waits(self, last: Answer | Unanswered, pause: float) -> None:
        codes = tuple(reason.get("code") for reason in last.reasons) if isinstance(last, Answer) else None
        if codes != self._told or codes is None:
            self._say(waiting_for(last))
        self._told = codes
        self._line.show(waiting_for(last), pause)

    def rests(self, seconds: float) -> None:
        self._line.show("the next wave waits to see what the last one does", seconds)

    def opens(self, number: int, permit: PermitAnswer) -> None:
        self._told = None
        self._say(f"wave {number}: {permit.allow:,} of {self._plan.audience:,} may go, permit {permit.permit_id}")

    def closed(self, wave: WaveResult) -> None:
        sent = "nobody knows how many were sent" if wave.sent is None else f"{wave.sent:,} sent"
        stopped = f"; stopped because {wave.stopped_because}" if wave.stopped_because else ""
        self._say(f"wave {wave.number}: {sent} in {wave.seconds:.0f} s{stopped}")

    def note(self, text: str) -> None:
        self._line.clear()
        print(f"holdfire: {text}", file=sys.stderr, flush=True)

    def ends(self, whole: Release, _outcome: str, detail: str) -> None:
        """Say how it ended."""
        if detail:
            self.note(detail)
        self._say(f"{whole.sent:,} of {self._plan.audience:,} sent in {len(whole.waves)} waves")
        if whole.left and all(wave.sent is not None for wave in whole.waves):
            self._say(f"to go on from there: the same command with --offset {whole.sent}")

    def _say(self, text: str, /) -> None:
        self._line.clear()
        print(text, flush=True)


class _JsonReport(_Report):
    """Tells programs: one JSON object at the end."""

    @property
    def output(self) -> BinaryIO:
        return sys.stderr.buffer

    def ends(self, whole: Release, outcome: str, detail: str) -> None:
        self._line.clear()
        plan = self._plan
        told: dict[str, Any] = {
            "outcome": outcome,
            "detail": detail,
            "gate": plan.gate,
            "campaign": plan.campaign,
            "audience": plan.audience,
            "offset": plan.offset,
            "sent": whole.sent,
            "left": whole.left,
            "waves": [asdict(wave) for wave in whole.waves],
        }
        print_json(told)

    def _say(self, _: str, /) -> None:
        self._line.clear()
