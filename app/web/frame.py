"""What stands around every page: where else to go, who looks, and whether it is a demonstration. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from app.web.pulse.view import Pulse
from app.web.visitors import Visit


@dataclass(frozen=True, slots=True)
class Room:
    """One page of the navigation: its word, its path, the scope it takes, and whether it is about one gate.

    key: the letter that leads there after `g`; empty: none does. also: other paths whose pages are in it, too, and all
    below them.
    """

    word: str
    path: str
    scope: str = "read"
    of_gate: bool = True
    key: str = ""
    also: tuple[str, ...] = ()

    def has(self, path: str) -> bool:
        """Return whether the page at a path is in this room."""
        below = (self.path, *self.also) if self.path != "/" else self.also
        return path == self.path or any(path == each or path.startswith(f"{each}/") for each in below)


ROOMS = (
    Room("Now", "/", key="n", also=("/history", "/notes", "/sends", "/queues")),
    Room("Plan a send", "/plan", key="p"),
    Room("Calendar", "/calendar", of_gate=False, key="l"),
    Room("Campaigns", "/campaigns", of_gate=False, key="c"),
    Room("Thresholds", "/thresholds", key="t", also=("/overrides", "/gates")),
    Room("Scoreboard", "/scoreboard", of_gate=False, key="b"),
    Room("Decisions", "/decisions", of_gate=False, key="d"),
    Room("Sources", "/sources", of_gate=False, key="o"),
    Room("Settings", "/settings", of_gate=False, key="s"),
)


# What can be set up, each in a room of its own below /settings.
SETTINGS = (
    Room("Queues", "/settings/queues", of_gate=False),
    Room("Keys", "/settings/keys", "admin", of_gate=False),
    Room("Webhooks", "/settings/webhooks", "admin", of_gate=False),
    Room("Screens", "/settings/screens", "admin", of_gate=False),
    Room("Users", "/settings/users", "admin", of_gate=False),
    Room("You", "/settings/me", of_gate=False),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A room as it is shown: where it leads, whether this page is in it, and its letter."""

    word: str
    href: str
    current: bool
    key: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """All of the layout that is not the page's own. who: None with authentication off; links: none when signed out.

    settings: the rooms below /settings that the visitor may enter. csrf: what its forms must carry. pulse: how the gate
    stands that the page is about, or else the first one; None for who may not know, and where there is no such gate.
    ends_in: seconds until the visitor is signed out, whatever they do.
    """

    links: Sequence[Link]
    who: str | None
    demo: bool
    settings: Sequence[Link] = ()
    csrf: str = ""
    pulse: Pulse | None = None
    ends_in: int | None = None


def frame(
    visit: Visit | None,
    path: str,
    gate: str | None,
    *,
    demo: bool,
    csrf: str = "",
    pulse: Pulse | None = None,
    ends_in: int | None = None,
) -> Frame:
    """Return the frame of a page at `path` that is about `gate`; visit None: nobody is signed in."""
    links, settings = (
        [_link(room, path, gate) for room in rooms if visit and visit.may(room.scope)] for rooms in (ROOMS, SETTINGS)
    )
    shown = pulse if visit and visit.may("read") else None
    return Frame(links, visit.name if visit else None, demo, settings, csrf, shown, ends_in)


def _link(room: Room, path: str, gate: str | None) -> Link:
    query = f"?gate={quote(gate, safe='')}" if gate and room.of_gate else ""
    return Link(room.word, room.path + query, room.has(path), room.key)
