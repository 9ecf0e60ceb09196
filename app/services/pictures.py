"""Pictures as they may be kept and shown: decoded whole, then encoded anew with nothing in them but the picture.

What is stored is never what was sent: EXIF, GPS, comments, colour profiles, thumbnails and whatever was hung on behind
are gone, and a file that only pretends to be an image does not get through a decoder.
"""

import asyncio
import struct
import zlib
from hashlib import sha256
from io import BytesIO
from typing import Any, NamedTuple
from urllib.parse import quote

from PIL import Image, ImageOps, UnidentifiedImageError

from app.core.campaign.briefing import Image as Kept
from app.core.campaign.images import MAX_IMAGE_BYTES, MAX_KEPT_BYTES, ascii_name, size_fault
from app.core.problem import Problem
from app.errors import Invalid

# Only these decoders ever see what was sent. Pillow calls a JPEG with further pictures behind the first an MPO.
_DECODERS = ("PNG", "JPEG", "WEBP")
_MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg", "MPO": "image/jpeg", "WEBP": "image/webp"}
# How a picture is written: the first of these that keeps it small enough.
_OPTIONS: dict[str, list[dict[str, Any]]] = {
    "image/png": [{"format": "PNG"}],
    "image/jpeg": [{"format": "JPEG", "quality": quality} for quality in (90, 70, 50)],
    "image/webp": [{"format": "WEBP", "quality": quality} for quality in (90, 70, 50)],
}
_KEPT_MODES = {"image/png": {"1", "L", "LA", "P", "RGB", "RGBA"}, "image/jpeg": {"L", "RGB"}, "image/webp": set[str]()}
_BEGINNINGS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")
# Everything that Pillow's decoders were seen to raise on damaged files.
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, struct.error, zlib.error)
_TOO_LARGE = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Picture(NamedTuple):
    """A picture ready to be kept. content: its new bytes, in the form that media_type names."""

    media_type: str
    content: bytes
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """Return the digest of the bytes, as hex."""
        return sha256(self.content).hexdigest()


class Pictures:
    """Makes pictures, one at a time and beside the event loop: a large one takes 100 MB and a second of a core."""

    def __init__(self) -> None:
        self._one_at_a_time = asyncio.Lock()

    async def picture(self, content: bytes) -> Picture:
        """Return the picture that an upload is. Raises Invalid."""
        async with self._one_at_a_time:
            return await asyncio.to_thread(picture_of, content)


def picture_of(content: bytes) -> Picture:
    """Return the picture that a file's bytes are. Raises Invalid with what is wrong with them."""
    if len(content) > MAX_IMAGE_BYTES:
        raise _refused(f"it has {len(content):,} bytes; at most {MAX_IMAGE_BYTES:,} are allowed")
    try:
        with _opened(content) as file:
            media_type = _MEDIA_TYPES[file.format or ""]
            _refuse_unfit(file, media_type)
            clean = _clean(file, media_type)
    except _TOO_LARGE as fault:
        raise _refused("it unpacks to far more pixels than can be shown; send a smaller one") from fault
    except _DAMAGE as fault:
        raise _refused("it is damaged or cut off: it cannot be read to its end; save it anew and send that") from fault
    return Picture(media_type, _written(clean, media_type), clean.width, clean.height)


def _opened(content: bytes) -> Image.Image:
    """Return the file opened, its structure checked; its pixels are not read yet."""
    try:
        with Image.open(BytesIO(content), formats=_DECODERS) as file:
            file.verify()  # checks what decoding leaves aside, such as PNG's checksums; leaves the file used up
    except UnidentifiedImageError as fault:
        raise _refused(f"{_likely(content)}; send the picture itself, as PNG, JPEG or WebP") from fault
    return Image.open(BytesIO(content), formats=_DECODERS)


def _refuse_unfit(file: Image.Image, media_type: str) -> None:
    if fault := size_fault(*file.size):
        raise _refused(fault)
    if media_type != "image/jpeg" and getattr(file, "n_frames", 1) > 1:
        raise _refused("it is animated; send one still picture of it")


def _clean(file: Image.Image, media_type: str) -> Image.Image:
    """Return the pixels, upright, in a mode that the form can hold, and nothing else that was in the file."""
    file.load()
    ImageOps.exif_transpose(file, in_place=True)
    clean = file.copy() if file.mode in _KEPT_MODES[media_type] else file.convert(_mode(file, media_type))
    clean.info = {name: value for name, value in clean.info.items() if name == "transparency"}
    return clean


def _written(clean: Image.Image, media_type: str) -> bytes:
    """Return the picture's new bytes: what was squeezed into 2 MiB can take many times that when written anew."""
    for options in _OPTIONS[media_type]:
        written = BytesIO()
        try:
            clean.save(written, **options)
        except (OSError, ValueError) as fault:  # such as a WebP with more detail than its form can hold
            raise _refused("it cannot be written anew in its own form; send it smaller, or as PNG or JPEG") from fault
        if written.tell() <= MAX_KEPT_BYTES:
            return written.getvalue()
    raise _refused(f"written anew it takes {written.tell():,} bytes, above {MAX_KEPT_BYTES:,}; send a smaller one")


def _mode(file: Image.Image, media_type: str) -> str:
    if file.mode.startswith("I"):  # 16 bits of grey, which Pillow would clip on the way to colours
        return "L"
    return "RGBA" if media_type != "image/jpeg" and file.has_transparency_data else "RGB"


def _likely(content: bytes) -> str:
    """Return in words what something is that no decoder knows."""
    head = content[:1000].lstrip().lower()
    if not content:
        return "the body is empty"
    if content.startswith(_BEGINNINGS) or (content[:4] == b"RIFF" and content[8:12] == b"WEBP"):
        return "it begins like an image, and goes on as none"
    if b"<svg" in head:
        return "it is an SVG drawing, which can carry scripts"
    if head.startswith((b"<!doctype", b"<html", b"<script", b"<!--", b"<body", b"<head")):
        return "it is HTML, not an image"
    return "its bytes are no PNG, JPEG or WebP image"


def _refused(detail: str) -> Invalid:
    return Invalid("the image was refused; nothing was changed", [Problem("", detail)])


def etag(image: Kept) -> str:
    """Return the ETag of an image's bytes."""
    return f'"{image.sha256[:32]}"'


def image_headers(image: Kept) -> dict[str, str]:
    """Return the headers under which a browser may be given an image that others have sent: it is shown, never run."""
    plain, exact = ascii_name(image.name), quote(image.name, safe="")
    return {
        "Content-Disposition": f"inline; filename=\"{plain}\"; filename*=UTF-8''{exact}",
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-cache",
        "ETag": etag(image),
    }
