"""GET /senders: how the email tools that holdfire drives are doing."""

from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from app.api.auth import Reader
from app.api.deps import ServicesDep, answer
from app.api.schemas import Shape, problems, text_at
from app.core.sending.standing import SendingState
from app.ports.senders import Driven, SenderHealth
from app.services import senders as registry
from app.services.shapes import instant

router = APIRouter(tags=["senders"])


class DrivenShape(Shape):
    """How one of the tool's campaigns stood when it was asked last."""

    campaign: str = Field(description="ours")
    tool_campaign: str = Field(description="the tool's own id")
    state: SendingState
    sent: int
    target: int | None = Field(description="how many it is for; null: nobody says")
    read_at: str = text_at()
    trouble: str | None = Field(description="why it sends what it must not; null: it does not")
    not_ready: str | None = Field(description="why no wave of its campaign opens for the tool now; null: one may")


class Sender(Shape):
    """One sender's health; counts since this process started."""

    name: str
    kind: str = Field(description="which tool it is")
    can_pause: bool
    status: str
    last_success_at: str | None = text_at()
    consecutive_failures: int
    last_error: str | None
    commands: int = Field(description="so many were given")
    campaigns: list[DrivenShape] = Field(description="those it was asked about, by the tool's own id")


class Senders(Shape):
    """All configured senders, sorted by name."""

    items: list[Sender]


@router.get(
    "/senders",
    operation_id="listSenders",
    summary="See how the driven email tools are doing",
    responses={200: {"model": Senders}, **problems()},
)
async def senders(services: ServicesDep, _: Reader) -> Response:
    """Every configured sender: whether it answers, what of it sends, and what it could not be stopped from."""
    return answer({"items": [_shape(health, services.senders) for health in services.senders.all()]})


def _shape(health: SenderHealth, senders: registry.Senders) -> dict[str, Any]:
    return {
        "name": health.name,
        "kind": health.kind,
        "can_pause": health.can_pause,
        "status": health.status,
        "last_success_at": instant(health.last_success_at),
        "consecutive_failures": health.consecutive_failures,
        "last_error": health.last_error,
        "commands": health.commands,
        "campaigns": [_driven(health.driven[name], senders) for name in sorted(health.driven)],
    }


def _driven(driven: Driven, senders: registry.Senders) -> dict[str, Any]:
    return {
        "campaign": driven.campaign,
        "tool_campaign": driven.tool_campaign,
        "state": driven.state,
        "sent": driven.sent,
        "target": driven.target,
        "read_at": instant(driven.read_at),
        "trouble": driven.trouble,
        "not_ready": senders.why_no_wave(driven.campaign),
    }
