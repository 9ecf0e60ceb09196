"""Static files under a URL that carries the build: cached for ever, and never the wrong ones."""

import gzip
import re
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.build import PACKAGE, build_id

FOR_EVER = "public, max-age=31536000, immutable"
BUILD_FORM = re.compile(r"[0-9a-f]{12}")
ONLY_COMMENT = re.compile(rb"^[ \t]*(?://[^\n]*|/\*(?:(?!\*/)[^\n])*\*/[ \t]*)\n", re.MULTILINE)
COMPRESSED = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def asset_url(path: str) -> str:
    """Return the URL of a static file of this build."""
    return f"/static/{build_id()}/{path}"


class Assets(StaticFiles):
    """Serves app/static below /static/{build}/ and, not to be kept, below /static/ and for other builds' URLs."""

    def __init__(self) -> None:
        super().__init__(directory=PACKAGE / "static")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return one file, gzipped where that helps and the browser takes it."""
        build, _, rest = path.partition("/")
        if BUILD_FORM.fullmatch(build):
            path = rest
        response = await super().get_response(path, scope)
        kind = COMPRESSED.get(Path(path).suffix)
        if response.status_code == 200 and kind and "gzip" in Headers(scope=scope).get("accept-encoding", ""):  # noqa: PLR2004
            found, _ = self.lookup_path(path)
            head = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            response = Response(_gzipped(found), media_type=kind, headers=head)
        response.headers["Cache-Control"] = FOR_EVER if build == build_id() else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


@lru_cache(maxsize=64)
def _gzipped(path: str) -> bytes:
    """Return a file for the wire; of our own, lines that are only a comment stay at home: a tenth of the weight."""
    content = Path(path).read_bytes()
    if Path(path).parent.name != "vendor":
        content = ONLY_COMMENT.sub(b"", content)
    return gzip.compress(content, compresslevel=9, mtime=0)
