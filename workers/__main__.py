"""`python -m workers`: sources and retention against the configured database, without the web application.

The worker process's only wiring point. It writes to the stream; a `holdfire serve` on the same database decides, and
delivers to webhooks.
"""

import asyncio
import signal
import sys

from app.clocks import SystemClock
from app.errors import HoldfireError, Invalid
from app.services.ingest import Ingest
from app.services.retention import Retention
from app.services.sources import Sources
from app.settings import Settings, load_settings
from app.store.bundle import open_store
from app.stream.places import place_of, until_there
from app.telemetry.logs import configure_logs
from workers.retention import RetentionWorker
from workers.sources.worker import Surroundings
from workers.supervisor import Crew, crew_for

FAILED, USAGE = 1, 2


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit code: 0 stopped, 1 failed, 2 the settings are wrong."""
    try:
        settings = load_settings()
        crew = crew_for(settings)
    except Invalid as fault:
        sys.stderr.write(f"holdfire: {fault}\n")
        return USAGE
    configure_logs(settings.log_level, settings.log_format)
    try:
        asyncio.run(work(settings, crew))
    except (HoldfireError, OSError) as fault:
        sys.stderr.write(f"holdfire: {fault}\n")
        return FAILED
    return 0


async def work(settings: Settings, crew: Crew) -> None:
    """Run the workers until a signal says stop. Raises HoldfireError or OSError when the database cannot be used."""
    clock, stop = SystemClock(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    place = place_of(settings)
    if place is not None:
        await until_there(place, lambda what: print(f"holdfire: {what}", file=sys.stderr, flush=True))  # noqa: T201
    async with open_store(settings.resolved_database_url, clock, place=place) as store:
        sources = Sources()
        retention = Retention(
            store.stream,
            store.history,
            store.outlooks,
            clock,
            raw_days=settings.retention_raw_days,
            minutes_days=settings.retention_minutes_days,
        )
        around = Surroundings(Ingest(store.stream, clock, sources), sources, clock)
        await crew(around, [RetentionWorker(retention)]).run(stop)


if __name__ == "__main__":
    sys.exit(main())
