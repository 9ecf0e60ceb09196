"""Pages out of templates, with the headers that keep them from being misused (OWASP ASVS 5.0.0, 3.4)."""

import secrets

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.build import PACKAGE, build_id
from app.web.assets import asset_url

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
ONE_YEAR = "max-age=31536000"


def environment() -> Environment:
    """Return the templates' environment: everything is escaped, an undefined name is an error."""
    templates = Environment(
        loader=FileSystemLoader(PACKAGE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(asset=asset_url, build=build_id(), csrf=csrf)
    return templates


@pass_context
def csrf(context: Context) -> Markup:
    """Return the hidden field with the session's token that every form has which changes something.

    Nothing in a piece of a page that many share, such as the live board: there csrf.js fills it in when it is sent.
    """
    frame = context.get("frame")
    return Markup('<input type="hidden" name="csrf" value="{}">').format(frame.csrf) if frame else Markup("")


def page(
    request: Request, templates: Environment, template: str, *, status: int = 200, **context: object
) -> HTMLResponse:
    """Return a rendered template under a strict content security policy with a nonce of its own."""
    nonce = secrets.token_urlsafe(16)
    html = templates.get_template(template).render(request=request, nonce=nonce, **context)
    headers = HEADERS | {"Content-Security-Policy": POLICY.format(nonce=nonce)}
    if request.url.scheme == "https":
        headers["Strict-Transport-Security"] = ONE_YEAR
    return HTMLResponse(html, status_code=status, headers=headers)
