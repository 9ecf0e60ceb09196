"""/displays: screens on the wall. A screen's token is shown once, when it is made."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import ConfigDict, Field
from starlette.responses import Response

from app.api.auth import Admin
from app.api.bodies import read
from app.api.deps import ServicesDep, answer
from app.api.schemas import Given, Shape, component, headers, problems, takes, text_at
from app.core.event import Actor
from app.ports.displays import Display
from app.services.displays import MAX_NAME, MAX_QUEUES, DisplayPlan, wall_path
from app.services.shapes import instant

router = APIRouter(prefix="/displays", tags=["displays"])
DisplayPath = Annotated[str, Path(max_length=100, description="the screen's id")]


class DisplayGiven(Given):
    """A new screen on the wall."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "Floor 2, north", "gate": "default", "zone": "America/Chicago"}]}
    )

    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME, description="where it hangs; it says so at its top")]
    gate: Annotated[str, Field(max_length=63, description="whose verdict it shows")] = "default"
    queues: Annotated[
        list[str], Field(max_length=MAX_QUEUES, description="whose numbers it shows; empty: all that the gate watches")
    ] = Field(default_factory=list)
    zone: Annotated[
        str | None, Field(max_length=64, description="its clock's IANA time zone; null: the gate policy's")
    ] = None


class ScreenShape(Shape):
    """A screen without its secret."""

    id: str
    name: str
    gate: str
    queues: list[str]
    zone: str | None
    created_at: str = text_at()
    created_by: str
    revoked_at: str | None = text_at()
    seen_at: str | None = Field(
        description="when it last showed something, to the minute; null: never",
        json_schema_extra={"format": "date-time"},
    )
    showing: int = Field(description="on how many devices it shows something now")


class NewScreen(ScreenShape):
    """A screen with its secret, this once."""

    token: str = Field(description="it opens this screen and nothing else; it cannot be shown again")
    url: str = Field(description="what to open on the device; whoever has it sees the screen")


class Screens(Shape):
    """All screens, oldest first, revoked ones too."""

    items: list[ScreenShape]


@router.get(
    "",
    operation_id="listDisplays",
    summary="List all screens",
    responses={200: {"model": Screens}, **problems()},
)
async def displays(services: ServicesDep, _: Admin) -> Response:
    """All screens on the wall without their secrets, oldest first, revoked ones too."""
    found = await services.displays.all()
    return answer({"items": [_shape(display, services.displays.showing(display.id)) for display in found]})


@router.post(
    "",
    operation_id="createDisplay",
    summary="Make a screen",
    status_code=201,
    responses={201: {"model": NewScreen, "headers": headers({"Location": "the screen"})}, **problems(413, 415, 422)},
    openapi_extra=takes("application/json", schema=component("DisplayGiven")),
)
async def create(request: Request, services: ServicesDep, caller: Admin) -> Response:
    """Makes a screen and shows its address, this once: only a hash of its token is kept. Make one per device."""
    given = await read(request, DisplayGiven)
    plan = DisplayPlan(given.name, given.gate, tuple(given.queues), given.zone)
    made, token = await services.displays.create(plan, Actor(caller.id, caller.name))
    address = services.settings.public_url or str(request.base_url).rstrip("/")
    shown = _shape(made, 0) | {"token": token, "url": address + wall_path(token)}
    return answer(shown, 201, {"Location": f"{request.url.path}/{made.id}"})


@router.get(
    "/{display_id}",
    operation_id="getDisplay",
    summary="Read a screen",
    responses={200: {"model": ScreenShape}, **problems(404, 422)},
)
async def display(display_id: DisplayPath, services: ServicesDep, _: Admin) -> Response:
    """One screen without its secret, also a revoked one."""
    return answer(_shape(await services.displays.find(display_id), services.displays.showing(display_id)))


@router.delete(
    "/{display_id}",
    operation_id="revokeDisplay",
    summary="Take a screen down",
    status_code=204,
    responses=problems(404, 422),
)
async def revoke(display_id: DisplayPath, services: ServicesDep, caller: Admin) -> Response:
    """It shows nothing from now on, wherever it hangs. Doing it again changes nothing."""
    await services.displays.revoke(display_id, Actor(caller.id, caller.name))
    return Response(status_code=204)


def _shape(found: Display, showing: int) -> dict[str, Any]:
    return {
        "id": found.id,
        "name": found.name,
        "gate": found.gate,
        "queues": list(found.queues),
        "zone": found.zone,
        "created_at": instant(found.created_at),
        "created_by": found.created_by,
        "revoked_at": instant(found.revoked_at),
        "seen_at": instant(found.seen_at),
        "showing": showing,
    }
