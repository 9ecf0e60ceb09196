"""In which time zone pages are written that are about no gate."""

from zoneinfo import ZoneInfo

from app.services.container import Services
from app.web.now.boards import present
from app.web.now.views import zone_of


def center_zone(services: Services) -> ZoneInfo:
    """Return the zone of the gate that is shown first, which is the center's; UTC where there is no gate."""
    _published, state = present(services, None)
    return zone_of(state) if state else ZoneInfo("UTC")
