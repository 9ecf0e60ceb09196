"""/livez and /readyz: for whoever restarts us and whoever routes to us. The floor's state is none of their business.

A queue that went silent does not fail /readyz: the page that shows it must stay reachable just then.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.api.deps import ServicesDep, answer
from app.api.problems import MEDIA_TYPE, NOT_READY
from app.api.schemas import Responses, Shape
from app.errors import HoldfireError
from app.services.container import Services

router = APIRouter(tags=["health"])

EVALUATED_WITHIN_SECONDS = 10.0
CHECK_SECONDS = 2.0
Check = Callable[[], Awaitable[str | None]]


class Alive(Shape):
    """The process answers."""

    status: str


class NamedCheck(Shape):
    """One thing that must be so: fine, or what is wrong."""

    name: str
    ok: bool
    detail: str | None


class Ready(Shape):
    """Whether requests should come here; checks only with `verbose`, or when one fails."""

    status: str
    checks: list[NamedCheck] | None = None


_READY: Responses = {
    200: {"model": Ready},
    503: {
        "description": NOT_READY.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/NotReady"}}},
    },
}


@router.get("/-/healthy", include_in_schema=False)
@router.get("/livez", operation_id="livez", summary="Is the process alive?", responses={200: {"model": Alive}})
async def livez() -> Response:
    """200 as long as the event loop turns; looks at nothing else."""
    return answer({"status": "ok"})


@router.get("/-/ready", include_in_schema=False)
@router.get("/readyz", operation_id="readyz", summary="Should requests come here?", responses=_READY)
async def readyz(
    request: Request,
    services: ServicesDep,
    verbose: Annotated[str | None, Query(description="with any value, or none: list the checks")] = None,
) -> Response:
    """200 when the database answers, migrations are done and the gates were evaluated; 503 while stopping."""
    checks = await run_checks(checks_of(services, request))
    named = [{"name": name, "ok": fault is None, "detail": fault} for name, fault in checks.items()]
    failed = [f"{name}: {fault}" for name, fault in checks.items() if fault is not None]
    if not failed:
        return answer({"status": "ok"} | ({} if verbose is None else {"checks": named}))
    problem = {
        "type": NOT_READY.type,
        "title": NOT_READY.title,
        "status": NOT_READY.status,
        "detail": "; ".join(failed),
        "instance": request.url.path,
        "request_id": request.scope["state"].get("request_id"),
        "checks": named,
    }
    response = answer(problem, NOT_READY.status, {"Retry-After": "2"})
    response.headers["content-type"] = MEDIA_TYPE
    return response


def checks_of(services: Services, request: Request) -> Mapping[str, Check]:
    """Return all named checks: ours, and those that the wiring point left in the state under `checks`."""

    async def database() -> str | None:
        await services.keys.all()
        return None

    async def evaluator() -> str | None:
        age = time.monotonic() - services.evaluator.published.monotonic_seconds
        if services.evaluator.published.seq and age <= EVALUATED_WITHIN_SECONDS:
            return None
        return f"the last evaluation ended {age:.0f} s ago; at most {EVALUATED_WITHIN_SECONDS:.0f} s are allowed"

    more: Mapping[str, Check] = getattr(request.state, "checks", {})
    return {"database": database, "evaluator": evaluator, **more}


async def run_checks(checks: Mapping[str, Check]) -> dict[str, str | None]:
    """Return what each check found wrong, None where it is fine. A check that takes too long has failed."""
    return dict(zip(checks, await asyncio.gather(*map(_run, checks.values())), strict=True))


async def _run(check: Check) -> str | None:
    try:
        return await asyncio.wait_for(check(), CHECK_SECONDS)
    except TimeoutError:
        return f"no answer within {CHECK_SECONDS:g} s"
    except (HoldfireError, OSError) as fault:
        return str(fault)


def not_ready_schema() -> dict[str, Any]:
    """Return the schema of a failed /readyz: a problem with the checks."""
    checks = {"type": "array", "items": NamedCheck.model_json_schema()}
    return {
        "allOf": [
            {"$ref": "#/components/schemas/Problem"},
            {"type": "object", "properties": {"checks": checks}, "required": ["checks"]},
        ]
    }
