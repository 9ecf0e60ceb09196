"""Tries a source's mapping on a sample that somebody pastes: what would come in, what would not, nothing stored."""

import asyncio
import tomllib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from app.core.problem import Problem
from app.errors import Invalid, NotComputed
from app.ports.clock import Clock
from app.ports.computing import Computing
from app.services.trials import Trial

LONGEST_TABLE = 20_000
LONGEST_SAMPLE = 200_000
_EMPTY = "paste what the system says: an answer, a payload, or some rows of a file with their header"


class SampleReader(Protocol):
    """Knows the sources that have a mapping. To be sent to another process, so it holds nothing."""

    @property
    def kinds(self) -> Sequence[str]:
        """The types of sources that can be tried on a sample, sorted."""

    def read(self, values: Mapping[str, Any], sample: bytes, now: datetime) -> Trial:
        """Return what a source of this [[sources]] table would make of a sample that came at `now`. Raises Invalid."""


class Trials:
    """Reads samples, away from the event loop: an expression may take as long as its author wants."""

    def __init__(
        self, reader: SampleReader, tables: Sequence[Mapping[str, Any]], computing: Computing, clock: Clock
    ) -> None:
        self._reader, self._computing, self._clock = reader, computing, clock
        self._turn = asyncio.Lock()
        self._tables = {_name(values): values for values in tables if values.get("type") in reader.kinds}

    @property
    def kinds(self) -> Sequence[str]:
        """The types of sources that can be tried on a sample, sorted."""
        return self._reader.kinds

    @property
    def sources(self) -> Sequence[str]:
        """The configured sources that can be tried on a sample, as holdfire.toml has them."""
        return tuple(self._tables)

    async def try_source(self, name: str, sample: str) -> Trial:
        """Return what a configured source would make of a sample. Raises Invalid with pointers /source and /sample."""
        if name not in self._tables:
            raise _invalid("/source", f"there is no source {name[:128]!r} that can be tried on a sample")
        return await self._read(self._tables[name], sample, "/sample")

    async def try_table(self, text: str, sample: str) -> Trial:
        """Return what a source of this TOML would make of a sample. Raises Invalid with pointers /table and /sample."""
        return await self._read(_table(text), sample, "/table")

    async def _read(self, values: Mapping[str, Any], sample: str, pointer: str) -> Trial:
        if not sample.strip():
            raise _invalid("/sample", _EMPTY)
        if len(sample) > LONGEST_SAMPLE:
            raise _invalid("/sample", f"has {len(sample):,} characters; at most {LONGEST_SAMPLE:,} are read")
        try:
            async with self._turn:  # one at a time, so that outlooks wait for one of them at most
                return await self._computing.run(self._reader.read, values, sample.encode(), self._clock.now())
        except Invalid as fault:
            raise _invalid(pointer if str(fault).startswith("sources") else "/sample", str(fault)) from None
        except NotComputed as fault:
            raise _invalid(pointer, f"it was not read: {fault}") from None


def _name(values: Mapping[str, Any]) -> str:
    return str(values.get("name") or str(values["type"]).replace("-", "_"))


def _table(text: str) -> Mapping[str, Any]:
    """Return the one [[sources]] table of a text, or the text as such a table. Raises Invalid."""
    if len(text) > LONGEST_TABLE:
        raise _invalid("/table", f"has {len(text):,} characters; at most {LONGEST_TABLE:,} are read")
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as fault:
        raise _invalid("/table", f"is not TOML: {fault}") from None
    tables = values.get("sources", values)
    if isinstance(tables, list) and len(tables) == 1:
        tables = tables[0]
    if not isinstance(tables, dict) or not tables:
        raise _invalid("/table", "paste one [[sources]] table, as it is to stand in holdfire.toml")
    return tables


def _invalid(pointer: str, detail: str) -> Invalid:
    return Invalid(detail, [Problem(pointer, detail)])
