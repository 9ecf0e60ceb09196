"""Image files for tests, made on the spot."""

from io import BytesIO
from typing import Any

from PIL import Image


def an_image(form: str = "PNG", mode: str = "RGB", size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """Return a file of that form, with a picture that is no plain colour."""
    written = BytesIO()
    Image.radial_gradient("L").resize(size).convert(mode).save(written, form, **options)
    return written.getvalue()


def opened(content: bytes) -> Image.Image:
    """Return a file opened and read."""
    image = Image.open(BytesIO(content))
    image.load()
    return image
