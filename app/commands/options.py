"""What the commands that ask a gate share: their options, and their exit codes."""

import re
from typing import Annotated

import typer

from app.commands.output import USAGE, fail
from app.core.gate.decision import Verdict

EXIT_CODES = {Verdict.SEND: 0, Verdict.THROTTLE: 10, Verdict.HOLD: 20, Verdict.UNKNOWN: 30}
DEFAULT_URL = "http://127.0.0.1:8000"

UrlOption = Annotated[str, typer.Option("--url", envvar="HOLDFIRE_URL", help="Where holdfire listens.")]
KeyOption = Annotated[
    str | None, typer.Option("--key", envvar="HOLDFIRE_API_KEY", help="API key; better set in HOLDFIRE_API_KEY.")
]
GateOption = Annotated[str, typer.Option("--gate", help="The gate to ask.")]
AudienceOption = Annotated[int | None, typer.Option("--audience", min=1, help="How many recipients the send has.")]
CampaignOption = Annotated[str | None, typer.Option("--campaign", help="Which campaign asks.")]
PartialFlag = Annotated[bool, typer.Option("--accept-partial", help="You will send only as many as `allow` says.")]


def seconds_of(option: str, text: str) -> float:
    """Return a duration such as 90s, 30m or 2h in seconds; end with a usage error where it is none."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)(s|m|h)?", text, re.ASCII)
    if not match:
        fail(f"{option}={text!r} must be a number with s, m or h, such as 90s or 2h", USAGE)
    return float(match[1]) * {"s": 1, "m": 60, "h": 3600}[match[2] or "s"]
