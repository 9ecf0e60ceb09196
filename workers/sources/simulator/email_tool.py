"""The demonstration's email tool: a shell script behind `holdfire release`, as a company's cron job would run it."""

import asyncio
import shlex
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from app.ports.clock import Clock
from workers.sources.simulator.scenarios import PlannedSend
from workers.sources.worker import either, pause

LOOK_SECONDS = 0.05
END_SECONDS = 10.0
BATCHES_PER_WALL_SECOND = 10

SCRIPT = """\
#!/bin/sh
# Mails one wave in batches. Told to stop, it says how far it came: that much is booked, the rest is given back.
sent=0
trap 'echo "sent=$sent"; exit 0' TERM
while [ "$sent" -lt "$HOLDFIRE_WAVE_AUDIENCE" ]; do
    batch=$((HOLDFIRE_WAVE_AUDIENCE - sent))
    [ "$batch" -le {batch} ] || batch={batch}
    echo "$batch" >>{mailed}
    sent=$((sent + batch))
    sleep {seconds}
done
echo "sent=$sent"
"""


class EmailTool:
    """Sends a planned campaign by `holdfire release`; where it asks nobody, all at once.

    opens_at: the instant from which the planned time is counted. mail reaches so many more of the simulated customers
    and returns how many of them will call. say gets lines for people. folder: where the script and its record of what
    was mailed are kept.
    """

    name = "email tool"

    def __init__(
        self,
        send: PlannedSend,
        *,
        opens_at: datetime,
        clock: Clock,
        url: str,
        mail: Callable[[int], int],
        say: Callable[[str], None],
        folder: Path,
    ) -> None:
        self._send, self._clock, self._url, self._mail, self._say = send, clock, url, mail, say
        self._planned_at = opens_at + timedelta(seconds=send.planned_at)
        self._script, self._mailed = folder / "send.sh", folder / "mailed"
        self._read = 0

    @property
    def command(self) -> list[str]:
        """The command line that releases the campaign, as one would type it."""
        gap = self._clock.wall_seconds(self._send.wave_gap_seconds)
        return [
            *("holdfire", "release", "--url", self._url, "--gate", "default", "--campaign", self._send.campaign),
            *("--audience", str(self._send.audience), "--wave-size", str(self._send.audience_per_wave)),
            *("--wave-gap", f"{gap:g}s", "--wave-command", f"sh {shlex.quote(str(self._script))}"),
        ]

    async def run(self, stop: asyncio.Event) -> None:
        """Send everything, or end when `stop` is set."""
        await either(self._clock.sleep(max(0.0, (self._planned_at - self._clock.now()).total_seconds())), stop.wait())
        if stop.is_set():
            return
        if not self._send.asks_gate:
            contacts = self._mail(self._send.audience)
            self._say(f"nobody was asked: {self._send.audience:,} emails go out; about {contacts:,} people will call")
            return
        self.write_script()
        self._say(f"$ {shlex.join(self.command)}")
        await self._release(stop)

    def write_script(self) -> None:
        """Write the script, its pace that of the campaign at the clock's speed."""
        per_wall_second = self._send.emails_per_second / self._clock.wall_seconds(1.0)
        batch = max(1, round(per_wall_second / BATCHES_PER_WALL_SECOND))
        text = SCRIPT.replace("{batch}", str(batch)).replace("{mailed}", shlex.quote(str(self._mailed)))
        self._mailed.touch()
        self._script.write_text(text.replace("{seconds}", str(1 / BATCHES_PER_WALL_SECOND)), encoding="utf-8")

    async def _release(self, stop: asyncio.Event) -> None:
        """Run the command until it ends or is to; what its script mails reaches the customers as it goes."""
        arguments = self.command[1:]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "app", *arguments, stdout=PIPE, stderr=STDOUT
        )
        telling = asyncio.create_task(self._tell(process))
        try:
            while process.returncode is None and not stop.is_set():
                self._deliver()
                await pause(LOOK_SECONDS, stop)
        finally:
            await _end(process)
            await telling
            self._deliver()

    async def _tell(self, process: Process) -> None:
        if process.stdout is not None:
            async for line in process.stdout:
                self._say(line.decode(errors="replace").rstrip())

    def _deliver(self) -> None:
        """Hand what was mailed since the last look to the customers."""
        with self._mailed.open("rb") as record:
            record.seek(self._read)
            news = record.read()
        whole, _, _ = news.rpartition(b"\n")
        if whole:
            self._read += len(whole) + 1
            self._mail(sum(map(int, whole.split())))


async def _end(process: Process) -> None:
    """Ask a process to end; it gives back what it did not send. Who does not listen is killed."""
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), END_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
