"""The form with which a queue is set up: read field by field. Pure."""

from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, Field

from app.core.floor.targets import QueueTargets, ServiceLevelVariant
from app.web.settings.faults import read_number

FIELDS = ("title", "service_level_seconds", "service_level_variant", "short_abandon_seconds", "concurrency")


class QueueForm(BaseModel):
    """What was typed, as it was typed. step: save, retire, or bring back."""

    step: str = "save"
    title: str = Field("", max_length=500)
    service_level_seconds: str = Field("20", max_length=40)
    service_level_variant: str = ServiceLevelVariant.OFFERED.value
    short_abandon_seconds: str = Field("0", max_length=40)
    concurrency: str = Field("1", max_length=40)


@dataclass(frozen=True, slots=True)
class Read:
    """What a form means, and what is wrong with it by field."""

    targets: QueueTargets
    faults: dict[str, str] = field(default_factory=dict)


def read(form: QueueForm, retired_at: datetime | None) -> Read:
    """Return the settings that a form describes; whether the queue is retired stays as it is."""
    faults: dict[str, str] = {}
    numbers: dict[str, float] = {}
    for name, what in (
        ("service_level_seconds", "The target"),
        ("short_abandon_seconds", "Short abandons"),
        ("concurrency", "Contacts at once"),
    ):
        numbers[name], fault = read_number(getattr(form, name), what)
        if fault:
            faults[name] = fault
    variant = form.service_level_variant
    if variant not in list(ServiceLevelVariant):
        faults["service_level_variant"] = "Choose one of the list."
        variant = ServiceLevelVariant.OFFERED
    title = form.title.strip() or None
    targets = QueueTargets(
        numbers["service_level_seconds"],
        ServiceLevelVariant(variant),
        numbers["short_abandon_seconds"],
        title,
        retired_at,
        numbers["concurrency"],
    )
    return Read(targets, faults)


def typed(targets: QueueTargets) -> QueueForm:
    """Return settings as their form has them."""
    return QueueForm(
        title=targets.title or "",
        service_level_seconds=f"{targets.service_level_seconds:g}",
        service_level_variant=targets.service_level_variant.value,
        short_abandon_seconds=f"{targets.short_abandon_seconds:g}",
        concurrency=f"{targets.concurrency:g}",
    )
