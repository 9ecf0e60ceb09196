"""What the outlooks tell the gates, in memory: the newest one of each gate, for the policy it was made for."""

from collections.abc import Callable

from app.core.gate.foresight import Foresight


class Foresights:
    """Holds one foresight per gate. on_change: called when a new one is there. For use on the event loop only."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._newest: dict[str, tuple[int, Foresight]] = {}

    def put(self, gate: str, policy_version: int, foresight: Foresight) -> None:
        """Keep a gate's newest foresight in place of the one before."""
        self._newest[gate] = policy_version, foresight
        self._on_change()

    def of(self, gate: str, policy_version: int) -> Foresight | None:
        """Return the newest made for this version of a gate's policy, None when there is none."""
        version, foresight = self._newest.get(gate, (None, None))
        return foresight if version == policy_version else None

    def forget(self, gate: str) -> None:
        """Drop what is kept of a gate that was deleted."""
        self._newest.pop(gate, None)
