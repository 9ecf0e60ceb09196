"""Waves as real processes: what they say, how they end, and that nothing of them is left."""

import asyncio
import io
import os
import subprocess
import time

import pytest

from app.commands.wave import Wave, running


async def has_gone(pid):
    """Tell whether a process ends within a second, or has; one that nobody has waited for yet has ended, too."""
    for _ in range(100):
        shown = await asyncio.to_thread(subprocess.run, ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True)
        if shown.stdout.strip() in (b"", b"Z"):
            return True
        await asyncio.sleep(0.01)
    return False


async def run(script, *, grace_seconds=5.0, output=None, stop_when=None):
    """Run a script as a wave and return the wave; stop_when: its output has this, then it is stopped."""
    output = output or io.BytesIO()
    async with running(script, os.environ, output, grace_seconds) as wave:
        if stop_when is None:
            await wave.ended()
        else:
            while stop_when not in output.getvalue():  # noqa: ASYNC110 - what a process printed
                await asyncio.sleep(0.01)
            await wave.stop(grace_seconds)
    return wave, output.getvalue()


@pytest.mark.parametrize(
    ("script", "sent"),
    [
        ("echo sent=123", 123),
        ("printf sent=123", 123),
        ("printf 'sent=1\\nsent=2\\r\\n\\n \\n'", 2),
        ("echo sent=5; echo done", None),
        ("echo 'all sent=5'", None),
        ("echo sent=-5", None),
        ("echo sent=1234567890123", None),
        ("echo sent=", None),
        ("true", None),
        ("head -c 200000 /dev/zero | tr '\\0' x; printf '\\nsent=9\\n'", 9),
        ("(sleep 0.1 &) ; echo sent=7", 7),
    ],
)
async def test_the_last_line_says_how_many_were_sent(script, sent):
    wave, _ = await run(script)
    assert (wave.sent, wave.exit_code) == (sent, 0)


async def test_what_it_prints_is_passed_on_as_it_is():
    _, printed = await run("echo one; printf 'two\\377'")
    assert printed == b"one\ntwo\xff"


async def test_it_reads_nothing_and_is_told_its_environment():
    _, printed = await run("cat; echo $HOME")
    assert printed.decode().strip() == os.environ["HOME"]


async def test_a_wave_that_is_stopped_may_say_what_it_sent():
    wave, _ = await run("trap 'echo sent=4; exit 0' TERM; echo on; while :; do sleep 0.02; done", stop_when=b"on")
    assert (wave.sent, wave.exit_code) == (4, 0)


async def test_a_wave_that_does_not_listen_is_killed_after_the_grace():
    began = time.monotonic()
    wave, _ = await run("trap '' TERM; echo on; while :; do sleep 0.02; done", grace_seconds=0.2, stop_when=b"on")
    assert wave.exit_code == -9
    assert time.monotonic() - began >= 0.2


async def test_all_processes_of_a_wave_end_with_it():
    script = "trap 'exit 0' TERM; sh -c 'trap \"\" TERM; echo $$; while :; do sleep 0.02; done' & wait"
    _, printed = await run(script, grace_seconds=0.2, stop_when=b"\n")
    assert await has_gone(int(printed))


async def test_a_wave_is_not_over_while_something_that_it_left_behind_goes_on_and_may_print():
    wave, printed = await run("(sleep 0.3; echo still) & echo sent=7")
    assert (wave.exit_code, printed) == (0, b"sent=7\nstill\n")


async def test_what_a_command_left_behind_is_stopped_with_its_wave():
    output = io.BytesIO()
    async with running("sleep 60 & echo $!", os.environ, output, 1.0) as wave:
        while wave.exit_code is None or b"\n" not in output.getvalue():  # noqa: ASYNC110 - what a process printed
            await asyncio.sleep(0.01)
    assert await has_gone(int(output.getvalue()))


async def test_leaving_a_wave_for_any_reason_ends_it():
    output = io.BytesIO()

    async def fail_when_it_runs():
        async with running("echo $$; exec sleep 60", os.environ, output, 1.0):
            while b"\n" not in output.getvalue():  # noqa: ASYNC110 - what a process printed
                await asyncio.sleep(0.01)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_when_it_runs()
    assert await has_gone(int(output.getvalue()))


async def test_a_wave_that_nobody_could_begin_never_runs():
    output = io.BytesIO()
    wave = Wave("echo on", os.environ, output)
    await wave.close()
    while wave.exit_code is None:  # noqa: ASYNC110 - a process tells nobody but who waits for it
        await asyncio.sleep(0.01)
    assert (wave.exit_code, output.getvalue()) == (1, b"")


async def test_an_output_that_nobody_takes_does_not_hold_up_the_wave():
    tried = []

    class Stuck(io.BytesIO):
        def write(self, chunk):
            tried.append(chunk)
            time.sleep(0.1)
            raise BrokenPipeError

    wave, _ = await run("head -c 2000000 /dev/zero | tr '\\0' x; echo; echo sent=3", output=Stuck())
    assert wave.sent == 3
    assert len(tried) == 1


async def test_a_command_that_cannot_be_started_is_an_os_error():
    with pytest.raises(OSError, match="Argument list too long"):
        await run("x" * 3_000_000)
