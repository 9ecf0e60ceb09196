"""Asks a Prometheus, or whatever has its query API, instant queries."""

from workers.systems.faults import BadAnswer, SourceFault
from workers.systems.web import Answer, Reach, Web

_NOT_EVALUATED = {400, 422}


class Client:
    """Asks; connections are kept between two times."""

    def __init__(self, url: str, reach: Reach) -> None:
        self._url, self._web = f"{url.rstrip('/')}/api/v1/query", Web(reach)
        self._timeout_seconds = reach.timeout_seconds

    async def query(self, field: str, query: str, at: float | None) -> Answer:
        """Return the answer to a query at an instant (seconds since 1970), None: now. Raises SourceFault."""
        params = {"query": query, "timeout": f"{self._timeout_seconds:g}s"}
        if at is not None:
            params["time"] = f"{at:.3f}"
        try:
            return await self._web.ask("GET", self._url, params=params)
        except BadAnswer as fault:
            if fault.status in _NOT_EVALUATED:
                raise SourceFault(f"{fault}: it cannot evaluate the query for {field}") from None
            raise

    async def close(self) -> None:
        """Let go of connections; the next query opens them anew."""
        await self._web.close()
