"""Screens as HTML, in the page and in each frame of their socket. Screens that show the same share their frames."""

import re
from dataclasses import dataclass

from jinja2 import Environment

from app.ports.displays import Display
from app.services.container import Services
from app.services.live_view import LiveView
from app.services.published import GateState, Published
from app.services.shapes import Shape
from app.web.now.boards import coming_of, present
from app.web.outlook.sendings import reader_of
from app.web.wall.view import Wall, no_gate, wall, zone_for

_INDENT = re.compile(r"\n\s+")


@dataclass(frozen=True, slots=True)
class Face:
    """What a screen shows of its gate: the live view of all screens with the same queues and zone."""

    templates: Environment
    queues: tuple[str, ...]
    zone: str | None

    async def __call__(self, services: Services, state: GateState, published: Published) -> Shape:
        """Return what a frame carries: the state in a word, and the screen as HTML."""
        return {"state": state.decision.verdict, "html": self.html(self.wall(services, state, published))}

    def wall(self, services: Services, state: GateState, published: Published) -> Wall:
        """Return what is shown as of now."""
        reader = reader_of(services, state, zone_for(state, self.zone))
        return wall(
            state,
            published.view,
            reader.now,
            services.evaluator.floor.targets,
            queues=self.queues,
            zone=self.zone,
            coming=coming_of(services, state, reader),
        )

    def html(self, shown: Wall) -> str:
        """Return it as HTML."""
        return _INDENT.sub("\n", self.templates.get_template("partials/wall.html").render(wall=shown))


def face(templates: Environment, display: Display) -> Face:
    """Return what a screen shows."""
    return Face(templates, display.queues, display.zone)


def wall_view(templates: Environment, display: Display) -> LiveView:
    """Return the live view of a screen: equal for all that show the same, so that the hub makes their frames once."""
    return LiveView(face(templates, display), packed=True)


def wall_of(services: Services, templates: Environment, display: Display) -> Wall:
    """Return what a screen shows now."""
    published, state = present(services, display.gate)
    if state is None:
        return no_gate(display.gate, services.clock.now(), display.zone)
    return face(templates, display).wall(services, state, published)
