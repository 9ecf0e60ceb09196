"""`holdfire demo`: a whole holdfire on a simulated contact center, many times faster than life."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill
from typing import Annotated

import typer

from app.commands.output import USAGE, fail
from app.commands.serve import run_server
from app.settings import Settings, is_loopback
from app.telemetry.logs import configure_logs
from workers.sources.simulator.demonstration import GATE, Demonstration
from workers.sources.simulator.scenarios import DEFAULT_SCENARIO, SCENARIOS, Scenario

SLOWEST, FASTEST = 0.1, 3600.0
_COMPARE = (
    'under the verdict, "The same day, twice": the same customers and agents, once with every email sent at 08:55, '
    "once as the gate allows. The two days part within minutes; at 21:00 the picture is complete."
)


def demo(
    speed: Annotated[float, typer.Option(help="How many times faster than life the clock runs.")] = 60.0,
    scenario: Annotated[str, typer.Option(help=f"What happens: {', '.join(SCENARIOS)}.")] = DEFAULT_SCENARIO,
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8000,
    host: Annotated[str, typer.Option(help="Address to listen on; only this machine's own.")] = "127.0.0.1",
) -> None:
    """Show holdfire on a simulated contact center with a planned campaign. Ctrl-C ends it and leaves nothing behind."""
    shown = _scenario(scenario)
    if not SLOWEST <= speed <= FASTEST:
        fail(f"--speed={speed:g} must be between {SLOWEST:g} and {FASTEST:g}", USAGE)
    if not is_loopback(host):
        fail(f"--host={host}: the demo needs no key, so it only listens on this machine, as 127.0.0.1", USAGE)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: the temporary folder goes too
    with TemporaryDirectory(prefix="holdfire-demo-") as folder, _uninterrupted_end():
        _run(shown, speed, _settings(host, port, Path(folder)), Path(folder))


@contextmanager
def _uninterrupted_end() -> Iterator[None]:
    """Take the first interruption as the wish to end; none after it may stop the folder from being removed."""
    with suppress(KeyboardInterrupt):
        try:
            yield
        finally:
            for each in (signal.SIGINT, signal.SIGTERM):
                signal.signal(each, signal.SIG_IGN)


def _scenario(name: str) -> Scenario:
    if name not in SCENARIOS:
        fail(f"--scenario={name!r} is not known; there are {', '.join(SCENARIOS)}", USAGE)
    return SCENARIOS[name]


def _settings(host: str, port: int, folder: Path) -> Settings:
    """Return settings that no file and no variable can bend: the demo works anywhere, and prints only what matters."""
    return Settings(host=host, port=port, auth="off", data_dir=folder, demo=True, log_level="warning")


def _run(scenario: Scenario, speed: float, settings: Settings, folder: Path) -> None:
    configure_logs(settings.log_level, settings.log_format)

    def announce(url: str) -> None:
        print(_introduction(scenario, speed, url), flush=True)

    say = partial(print, flush=True)
    demonstration = Demonstration(scenario, speed, say=say, announce=announce, folder=folder)
    print("holdfire demo: the 45 minutes before it begins pass in a few seconds ...", flush=True)
    run_server(
        settings,
        ready=demonstration.serves,
        clock=demonstration.clock,
        background=demonstration.run,
        twins=demonstration.twins,
    )
    print("\nholdfire demo ended; nothing is left behind", flush=True)


def _introduction(scenario: Scenario, speed: float, url: str) -> str:
    question = f"gate={GATE}&audience=100000&campaign={scenario.send.campaign}"
    look, compare = (fill(text, width=100, subsequent_indent=" " * 11) for text in (scenario.look, _COMPARE))
    twice = f"\n  compare  {compare}" if scenario.send.asks_gate else ""
    return f"""
holdfire demo: {scenario.title}, {speed:g} times faster than life, from Monday 08:30 on

  open     {url}
  look at  {look}{twice}
  ask      curl -i '{url}/api/v1/readiness?{question}'
  end      Ctrl-C
"""
