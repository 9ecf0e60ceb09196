"""Tries a source and stores nothing: over the line, or on a sample of what its system says."""

import asyncio
import resource
import signal
import threading
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from app.errors import Invalid, NotFound
from app.ports.clock import Clock
from app.ports.stream import Appended, Payload, StreamRecord
from app.services.ingest import Ingest
from app.services.sources import Sources
from app.services.trials import Trial, trial_of
from workers.sources import registry
from workers.sources.worker import Surroundings
from workers.systems.faults import SourceFault, TranslateError
from workers.systems.table import Table

PATIENCE_SECONDS = 60.0
MOST_BYTES = 512 << 20
AGAIN_SECONDS = 0.25
MOST_SECONDS = 5.0

Tables = Sequence[Mapping[str, Any]]


async def over_the_line(tables: Tables, name: str, clock: Clock) -> Trial:
    """Return what the source of this name says now. Raises NotFound, Invalid, and SourceFault when it says nothing."""
    factories = registry.configured(tables)
    if name not in factories:
        known = f"there are {', '.join(factories)}" if factories else "holdfire.toml has no [[sources]]"
        raise NotFound(f"there is no source {name!r}; {known}")
    sources = Sources()
    worker = factories[name](Surroundings(Ingest(_Nowhere(), clock, sources), sources, clock))
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            lot = await worker.sample()
    except TimeoutError:
        raise SourceFault(f"{name} said nothing within {PATIENCE_SECONDS:g} s") from None
    return replace(trial_of(lot.payloads, lot.rejected, clock.now()), clock_ahead_seconds=lot.clock_ahead_seconds)


def on_a_sample(values: Mapping[str, Any], sample: bytes, now: datetime) -> Trial:
    """Return what the source of this [[sources]] table would make of a sample, come now. Opens no file, asks nobody.

    Raises Invalid for a table that is none or has no mapping, TranslateError for a sample that makes no sense.
    """
    table = Table("sources", values, {})
    kind = table.choice("type", sorted(registry.TRIALS))
    name = table.name("name", kind.replace("-", "_"))
    lot = registry.TRIALS[kind](table, name)(sample, now)
    return trial_of(lot.payloads, lot.rejected, now)


def table_of(tables: Tables, name: str) -> Mapping[str, Any]:
    """Return the table of the source of this name. Raises NotFound, and Invalid for a bad table."""
    for values, known in zip(tables, registry.configured(tables), strict=True):
        if known == name:
            return values
    raise NotFound(f"there is no source {name!r}")


class SampleReader:
    """Tries tables on samples: what the Sources page is given."""

    kinds = tuple(sorted(registry.TRIALS))

    def read(self, values: Mapping[str, Any], sample: bytes, now: datetime) -> Trial:
        """Return what a source of this table would make of a sample. Raises Invalid, of the sample, too."""
        try:
            with _little_memory(), _little_time():
                return on_a_sample(values, sample, now)
        except TranslateError as fault:
            raise Invalid(str(fault)) from None
        except _TooLong:
            raise Invalid(f"sources.mapping: an expression computes for more than {MOST_SECONDS:g} s") from None
        except MemoryError:
            raise Invalid("sources.mapping: an expression makes far more of the sample than it was given") from None


@contextmanager
def _little_memory() -> Iterator[None]:
    """Bound what this process takes beside what it has: an expression may double what it gets, many times over.

    Where a system does not tell how much a process has, nothing is bounded.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    try:
        had = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        most = had + MOST_BYTES if soft == resource.RLIM_INFINITY else min(soft, had + MOST_BYTES)
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    except (OSError, ValueError):
        pass
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class _TooLong(Exception):
    """The time that a trial may take is over."""


@contextmanager
def _little_time() -> Iterator[None]:
    """Bound how long the processor may work on a trial: others wait for the process it is made in.

    Signals come to a process's first thread alone, so beside it nothing is bounded.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGPROF, _too_long)
    # What is raised while the interpreter is in a callback, as of its garbage collector, is lost: it is raised again.
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS, AGAIN_SECONDS)
    try:
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    finally:  # also where the first one was interrupted by what it was to end
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def _too_long(_signal: int, _frame: object) -> NoReturn:
    raise _TooLong


class _Nowhere:
    """A stream that nothing may be written to."""

    async def append(self, _payloads: Sequence[Payload]) -> Appended:
        _refuse()

    async def read(self, _after: int, _limit: int = 0) -> Sequence[StreamRecord]:
        _refuse()

    async def position_before(self, _at: datetime) -> int:
        _refuse()

    def tail(self, _after: int) -> AsyncIterator[Sequence[StreamRecord]]:
        _refuse()

    async def prune(self, _before: datetime) -> int:
        _refuse()


def _refuse() -> NoReturn:
    raise Invalid("nothing is stored while a source is tried")
