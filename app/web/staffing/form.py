"""The form with which a schedule is uploaded: read field by field, each fault a sentence."""

from dataclasses import dataclass

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from app.core.gate.windows import is_zone
from app.core.staffing.columns import Role
from app.core.staffing.moments import DateOrder
from app.services.uploads import FileOptions

MOST_FIELDS = 20
LONGEST = 200


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What was sent: the file, how to read it, whether to save it, and the revision that its sender saw."""

    content: bytes
    options: FileOptions
    saves: bool
    revision: int | None
    faults: tuple[str, ...]


async def read_form(request: Request) -> UploadForm:
    """Return what a form says. Faults of its fields are among its own; a body that is no form is refused with 400."""
    form = await request.form(max_files=1, max_fields=MOST_FIELDS)
    file = form.get("file")
    content = await file.read() if isinstance(file, UploadFile) else b""
    faults = [] if content else ["Choose a file first; it may have at most 1 MiB."]
    zone, order, decimal = _text(form, "time_zone"), _text(form, "date_order"), _text(form, "decimal")
    if zone and not is_zone(zone):
        faults.append(f"“{zone}” is no time zone; use an IANA name such as America/Chicago.")
    if order and order not in list(DateOrder):
        faults.append(f"“{order}” is no order of dates; choose one of the list.")
    if decimal not in ("", ".", ","):
        faults.append(f"“{decimal}” marks no fraction; choose one of the list.")
    options = FileOptions(
        columns={role: heading for role in Role if (heading := _text(form, f"{role}_column"))},
        time_zone=zone or None,
        order=DateOrder(order) if order in list(DateOrder) else None,
        decimal=decimal or None,
        gaps_closed=_text(form, "gaps") == "closed",
        queue_value=_text(form, "queue_value") or None,
    )
    revision = _text(form, "revision")
    saw = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < MOST_FIELDS else None
    return UploadForm(content, options, _text(form, "step") == "save", saw, tuple(faults))


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:LONGEST] if isinstance(value, str) else ""
