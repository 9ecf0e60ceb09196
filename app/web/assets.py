"""Static files under a URL that carries the build: cached for ever, and never the wrong ones."""

import gzip
from functools import lru_cache
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from app.build import PACKAGE, build_id

FOR_EVER = "public, max-age=31536000, immutable"
COMPRESSED = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def asset_url(path: str) -> str:
    """Return the URL of a static file of this build."""
    return f"/static/{build_id()}/{path}"


class Assets(StaticFiles):
    """Serves app/static below /static/{build}. Another build's URL gets today's file, not to be kept."""

    def __init__(self) -> None:
        super().__init__(directory=PACKAGE / "static")

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return one file, gzipped where that helps and the browser takes it."""
        response = await super().get_response(path, scope)
        kind = COMPRESSED.get(Path(path).suffix)
        if response.status_code == 200 and kind and "gzip" in Headers(scope=scope).get("accept-encoding", ""):  # noqa: PLR2004
            found, _ = self.lookup_path(path)
            head = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
            response = Response(_gzipped(found), media_type=kind, headers=head)
        this_build = scope["path_params"].get("build") == build_id()
        response.headers["Cache-Control"] = FOR_EVER if this_build else "no-cache"
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


@lru_cache(maxsize=64)
def _gzipped(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), compresslevel=6, mtime=0)
