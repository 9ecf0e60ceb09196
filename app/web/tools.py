"""What every page's handler is given: the services, the templates, and the boards."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request
from jinja2 import Environment
from pydantic import BaseModel, Field
from starlette.responses import Response

from app.core.simulation.twins import Twins
from app.services.container import Services
from app.services.live_view import LiveView
from app.web.answers import SharedAnswers
from app.web.frame import frame
from app.web.now.boards import Boards, present
from app.web.outlook.shared import SharedOutlooks
from app.web.pulse.pulses import Pulses, pulse_of
from app.web.rendering import page
from app.web.visitors import form_token

NOT_FOUND = 404


@dataclass(frozen=True, slots=True)
class Tools:
    """Made once per app by install_pages. twins: what a demonstration compares, None in real life."""

    templates: Environment
    boards: Boards
    twins: Callable[[], Twins] | None = None
    outlooks: SharedOutlooks = field(default_factory=SharedOutlooks)
    answers: SharedAnswers = field(default_factory=SharedAnswers)

    @property
    def views(self) -> Mapping[str, LiveView]:
        """What a frame of the live socket may carry for pages, by the view's name."""
        return {
            "pulse": LiveView(Pulses(self.templates).live_view),
            "page": LiveView(self.boards.live_view, packed=True),
        }

    def page(self, request: Request, template: str, *, status: int = 200, **context: object) -> Response:
        """Return a rendered template with the headers of a page, inside the frame that every page has."""
        found: Services = request.state.services
        gate = request.path_params.get("gate") or request.query_params.get("gate")
        visit, demo = getattr(request.state, "visit", None), found.settings.demo
        published, state = present(found, gate)
        pulse = pulse_of(found, state, published) if state else None
        around = frame(
            visit,
            request.url.path,
            gate,
            demo=demo,
            csrf=form_token(request),
            pulse=pulse,
            ends_in=visit.seconds_left(found.clock.now()) if visit else None,
        )
        return page(request, self.templates, template, status=status, frame=around, **context)

    def no_gate(self, request: Request, gate: str | None) -> Response:
        """Return the answer for a gate that is not there."""
        detail = f"There is no gate “{gate or 'default'}”."
        return self.page(request, "pages/problem.html", status=NOT_FOUND, title="No such gate", detail=detail)


class GateQuery(BaseModel):
    """Which gate a page is about; None: the one called default, or else the first."""

    gate: str | None = Field(default=None, max_length=63)


def tools(request: Request) -> Tools:
    """Return the app's page tools."""
    found: Tools = request.app.state.page_tools
    return found


def services(request: Request) -> Services:
    """Return the process's services."""
    found: Services = request.state.services
    return found


ToolsDep = Annotated[Tools, Depends(tools)]
ServicesDep = Annotated[Services, Depends(services)]
