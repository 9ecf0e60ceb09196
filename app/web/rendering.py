"""Pages out of templates, with the headers that keep them from being misused (OWASP ASVS 5.0.0, 3.4)."""

import gzip
import json
import secrets
from io import BytesIO

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from app.build import PACKAGE, build_id
from app.web.assets import asset_url
from app.web.palettes import on_paper
from app.web.visitors import is_secure

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
PACKED_FROM_BYTES, PACKED_LEVEL, MOST_NOISE_BYTES = 1_000, 4, 100


def environment() -> Environment:
    """Return the templates' environment: everything is escaped, an undefined name is an error."""
    templates = Environment(
        loader=FileSystemLoader(PACKAGE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.globals.update(asset=asset_url, build=build_id(), csrf=csrf, chart_inks=json.dumps(on_paper()))
    return templates


@pass_context
def csrf(context: Context) -> Markup:
    """Return the hidden field with the session's token that every form has which changes something.

    Nothing in a piece of a page that many share, such as the live board: there csrf.js fills it in when it is sent.
    """
    frame = context.get("frame")
    return Markup('<input type="hidden" name="csrf" value="{}">').format(frame.csrf) if frame else Markup("")


def page(request: Request, templates: Environment, template: str, *, status: int = 200, **context: object) -> Response:
    """Return a rendered template under a strict content security policy with a nonce of its own."""
    nonce = secrets.token_urlsafe(16)
    html = templates.get_template(template).render(request=request, nonce=nonce, **context).encode()
    headers = HEADERS | {"Content-Security-Policy": POLICY.format(nonce=nonce), "Vary": "Accept-Encoding"}
    if is_secure(request):
        headers["Strict-Transport-Security"] = ONE_YEAR
    if len(html) > PACKED_FROM_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        html = packed(html)
        headers["Content-Encoding"] = "gzip"
    return HTMLResponse(html, status_code=status, headers=headers)


def packed(html: bytes) -> bytes:
    """Return a page as gzip whose length has some chance in it.

    A page carries its session's token and repeats words of its address; how well both pack together must tell nobody
    anything (the BREACH attack). The noise stands where gzip keeps a file's name, which browsers leave out.
    """
    noise = secrets.token_hex(MOST_NOISE_BYTES)[: secrets.randbelow(MOST_NOISE_BYTES)]
    buffer = BytesIO()
    with gzip.GzipFile(noise, "wb", PACKED_LEVEL, buffer, mtime=0) as file:
        file.write(html)
    return buffer.getvalue()
