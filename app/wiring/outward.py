"""The services that talk to programs outside."""

from dataclasses import dataclass

from app.api.auth import ANONYMOUS
from app.core.webhooks.address import Allowed
from app.ports.clock import Clock
from app.resolver import Resolver
from app.services.callbacks import Callbacks
from app.services.deliveries import Deliveries
from app.services.destinations import Destinations
from app.services.displays import Displays
from app.services.keys import Keys
from app.services.rates import Rates
from app.services.still_true import StillTrue
from app.services.webhooks import Webhooks
from app.settings import Settings
from app.store.bundle import Store
from app.telemetry.metrics import Metrics
from app.wiring.gate import GateServices


@dataclass(frozen=True, slots=True)
class OutwardServices:
    """The services that talk to programs and devices outside."""

    keys: Keys
    callbacks: Callbacks
    webhooks: Webhooks
    deliveries: Deliveries
    displays: Displays


def outward_services(
    settings: Settings, clock: Clock, store: Store, metrics: Metrics, gate: GateServices
) -> OutwardServices:
    """Return them, nothing loaded yet."""
    allowed = Allowed.of(settings.webhook_allowed_networks)
    destinations = Destinations(Resolver().addresses, allowed)
    askers_destinations = Destinations(Resolver().addresses, allowed)
    keys = Keys(store.keys, clock, Rates(metrics.client_rate_refused))
    callbacks = Callbacks(
        store.callbacks,
        gate.permits,
        gate.answering,
        askers_destinations,
        asker_of=keys.valid if settings.auth == "on" else lambda _: ANONYMOUS,
        clock=clock,
    )
    deliveries = Deliveries(
        store.webhooks,
        destinations,
        clock,
        asker=callbacks.receiver,
        why_not=StillTrue(gate.answering, gate.campaigns.book, gate.permits).why_not,
        askers_destinations=askers_destinations,
        counted=metrics.delivery_tried,
        waits=metrics.deliveries_waiting,
    )
    webhooks = Webhooks(store.webhooks, destinations, store.gates.gates, clock)
    return OutwardServices(keys, callbacks, webhooks, deliveries, Displays(store.displays, store.gates.gates, clock))
