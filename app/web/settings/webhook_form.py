"""The form with which a webhook is made or changed. Pure."""

from collections.abc import Iterable

from pydantic import BaseModel, Field

from app.core.problem import Problem
from app.core.webhooks.subscription import TOLD
from app.ports.webhooks import Form, Webhook
from app.services.webhooks import WebhookPlan
from app.web.settings.faults import faults_of

FIELDS = ("name", "url", "form", "types", "gate")


class WebhookForm(BaseModel):
    """What was typed, as it was typed. revision: of the webhook that the form showed."""

    name: str = Field("", max_length=1000)
    url: str = Field("", max_length=5000)
    form: str = Form.STANDARD.value
    types: list[str] = Field(default_factory=list, max_length=200)
    gate: str = Field("", max_length=200)
    revision: str = Field("0", max_length=18)

    @property
    def saw(self) -> int:
        """The revision that the form showed, 0 for none."""
        return int(self.revision) if self.revision.isascii() and self.revision.isdigit() else 0


def plan_of_form(form: WebhookForm, *, enabled: bool = True) -> tuple[WebhookPlan, dict[str, str]]:
    """Return what a form says, and what of it cannot be. All types ticked are all there will ever be: none."""
    faults = {} if form.form in list(Form) else {"form": "Choose one of the list."}
    types = () if set(form.types) >= set(TOLD) else tuple(form.types)
    kind = Form(form.form) if not faults else Form.STANDARD
    plan = WebhookPlan(form.name.strip(), form.url.strip(), kind, types, form.gate.strip() or None, enabled)
    return plan, faults


def typed(webhook: Webhook) -> WebhookForm:
    """Return a webhook as its form has it."""
    return WebhookForm(
        name=webhook.name,
        url=webhook.url,
        form=webhook.form.value,
        types=list(webhook.types),
        gate=webhook.gate or "",
        revision=str(webhook.revision),
    )


def refused(problems: Iterable[Problem]) -> dict[str, str]:
    """Return what the service found wrong, by field."""
    return faults_of(problems, FIELDS)
