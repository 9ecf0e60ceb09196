"""Every route that an app serves, whoever adds it: what a test must walk that says something about all of them."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fastapi import FastAPI
from fastapi.routing import APIRoute, APIWebSocketRoute
from starlette.routing import BaseRoute, Mount, Route

_PARAMETER = re.compile(r"\{\w+(:\w+)?\}")


class Served(NamedTuple):
    """One method of one route, with the whole path that leads to it; method WS: a socket."""

    method: str
    path: str
    route: BaseRoute

    @property
    def example(self) -> str:
        """A path that leads here, about nothing that exists."""
        return _PARAMETER.sub("x", self.path)


def served(app: FastAPI) -> list[Served]:
    """Return every route. Raises TypeError for a kind that nobody has thought of here."""
    return list(_walk(app.router.routes, ""))


def _walk(routes: Sequence[BaseRoute], prefix: str) -> Iterator[Served]:
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _walk(included.routes, prefix + route.include_context.prefix)  # type: ignore[attr-defined]
        elif isinstance(route, APIRoute | Route):
            yield from (Served(method, prefix + route.path, route) for method in sorted(route.methods or ()))
        elif isinstance(route, APIWebSocketRoute):
            yield Served("WS", prefix + route.path, route)
        elif isinstance(route, Mount):
            yield Served("GET", prefix + route.path, route)
        else:
            raise TypeError(f"{route!r} is a kind of route that this walk does not know")
