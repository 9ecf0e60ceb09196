"""The pulse of a gate as HTML: in the frame of every page, and in every frame of the live socket."""

from dataclasses import dataclass

from jinja2 import Environment

from app.services.container import Services
from app.services.published import GateState, Published
from app.services.shapes import Shape
from app.web.pulse.view import Pulse, pulse


def pulse_of(services: Services, state: GateState, published: Published) -> Pulse:
    """Return a gate's pulse as of now."""
    targets = services.evaluator.floor.targets
    titles = {queue: own.title for queue, own in targets.items() if own.title}
    return pulse(published, state, services.clock.now(), titles)


@dataclass(frozen=True, slots=True)
class Pulses:
    """Draws pulses. Its live view is what pages other than the board open their socket for."""

    templates: Environment

    async def live_view(self, services: Services, state: GateState, published: Published) -> Shape:
        """Return what a frame carries: the state, and the pulse as HTML."""
        drawn = self.templates.get_template("partials/pulse.html").render(pulse=pulse_of(services, state, published))
        return {"state": state.decision.verdict, "pulse": drawn}
