import random
from io import BytesIO

import pytest
from PIL import Image, ImageChops, PngImagePlugin

from app.core.campaign.briefing import Image as Kept
from app.errors import Invalid
from app.services import pictures
from app.services.pictures import Picture, Pictures, image_headers, picture_of
from tests.support.builders import NOW
from tests.support.pictures import an_image, opened

SECRET = b"Latitude 41.8781"
FORMS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}


def refusal(content: bytes) -> str:
    with pytest.raises(Invalid) as refused:
        picture_of(content)
    (problem,) = refused.value.problems
    assert problem.pointer == ""
    return problem.detail


def exif(orientation: int = 1) -> bytes:
    tags = Image.Exif()
    tags[0x0112], tags[0x010E] = orientation, SECRET.decode()
    return tags.tobytes()


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *(("PNG", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("JPEG", mode) for mode in ("L", "RGB", "CMYK")),
        *(("WEBP", mode) for mode in ("RGB", "RGBA")),
    ],
)
def test_a_picture_of_any_common_kind_is_kept_in_its_form_and_looks_the_same(form, mode):
    sent = an_image(form, mode)
    kept = picture_of(sent)
    assert (kept.media_type, kept.width, kept.height) == (FORMS[form], 60, 40)
    after, before = opened(kept.content), opened(sent)
    assert after.format == form
    if mode == "I;16":
        before = opened(an_image("PNG", "L"))
    assert max(ImageChops.difference(after.convert("L"), before.convert("L")).tobytes()) <= 12


def test_the_same_file_gives_the_same_bytes():
    for form in FORMS:
        assert picture_of(an_image(form)) == picture_of(an_image(form))


def test_what_it_is_is_found_from_its_bytes_alone():
    for form, media_type in FORMS.items():
        assert picture_of(an_image(form)).media_type == media_type


def test_nothing_that_was_written_into_a_file_gets_any_further():
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    text.add_itxt("XML:com.adobe.xmp", SECRET.decode())
    profile = b"\x00" * 128 + SECRET
    sent = [
        an_image("PNG", pnginfo=text, exif=exif(), icc_profile=profile),
        an_image("PNG", "P", pnginfo=text),
        an_image("JPEG", comment=SECRET, exif=exif(), xmp=SECRET, icc_profile=profile),
        an_image("WEBP", exif=exif(), xmp=SECRET),
        *(an_image(form) + b"<script>" + SECRET for form in ("PNG", "JPEG")),
    ]
    for content in sent:
        assert SECRET in content
        kept = picture_of(content).content
        assert SECRET not in kept
        assert not {"exif", "comment", "xmp", "icc_profile", "Comment"} & set(opened(kept).info)


def test_a_picture_taken_sideways_is_turned_upright_before_its_orientation_goes():
    kept = picture_of(an_image("JPEG", size=(60, 40), exif=exif(orientation=6)))
    assert (kept.width, kept.height) == (40, 60)


def test_a_transparent_colour_stays_transparent():
    sent = BytesIO()
    Image.new("RGBA", (4, 4), (255, 0, 0, 0)).quantize().save(sent, "PNG")
    assert opened(sent.getvalue()).mode == "P"
    kept = opened(picture_of(sent.getvalue()).content)
    assert kept.convert("RGBA").getpixel((0, 0)) == (255, 0, 0, 0)


def test_a_photograph_with_a_second_picture_behind_it_is_its_first_picture():
    sent = BytesIO()
    second = Image.new("RGB", (20, 20), "blue")
    Image.new("RGB", (20, 20), "red").save(sent, "MPO", save_all=True, append_images=[second])
    kept = picture_of(sent.getvalue())
    assert kept.media_type == "image/jpeg"
    assert max(ImageChops.difference(opened(kept.content), Image.new("RGB", (20, 20), "red")).tobytes()) <= 12


@pytest.mark.parametrize("form", ["PNG", "WEBP"])
def test_an_animation_is_refused(form):
    still, other = (Image.new("RGB", (8, 8), colour) for colour in ("red", "blue"))
    sent = BytesIO()
    still.save(sent, form, save_all=True, append_images=[other])
    assert "animated" in refusal(sent.getvalue())


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "HTML"),
        (b"  <html>", "HTML"),
        (b"<?xml version='1.0'?><svg onload='alert(1)'/>", "SVG"),
        (b"GIF89a" + b"\x00" * 40, "no PNG, JPEG or WebP"),
        (b"%PDF-1.7", "no PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n<html><script>", "begins like an image"),
        (b"RIFF\x10\x00\x00\x00WEBP<html>", "begins like an image"),
        (b"\xff\xd8\xff\xe0<html><script>", "damaged"),
    ],
)
def test_what_is_no_image_is_refused_and_told_what_it_looks_like(content, said):
    assert said in refusal(content)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_file_that_was_cut_off_is_refused(form, share):
    content = an_image(form)
    assert refusal(content[: int(len(content) * share)])


def test_a_damaged_checksum_is_refused():
    content = bytearray(an_image("PNG"))
    content[len(content) // 2] ^= 1
    assert "damaged" in refusal(bytes(content))


def test_a_small_file_that_unpacks_to_far_too_many_pixels_is_refused_before_it_is_unpacked():
    for side in (5_001, 15_000):  # Pillow's own guard begins above 13,000
        bomb = BytesIO()
        Image.new("1", (side, side)).save(bomb, "PNG")
        assert len(bomb.getvalue()) < 2**16
        assert "pixels" in refusal(bomb.getvalue())


def test_more_than_two_mebibytes_are_refused_unread():
    assert "2,097,152" in refusal(an_image("PNG") + b"\x00" * 2**21)


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_what_was_squeezed_is_not_kept_at_many_times_its_size(form, monkeypatch):
    squeezed = BytesIO()
    Image.frombytes("RGB", (200, 200), random.Random(7).randbytes(120_000)).save(squeezed, form, quality=1)
    fine = len(picture_of(squeezed.getvalue()).content)
    assert fine > squeezed.tell()
    monkeypatch.setattr(pictures, "MAX_KEPT_BYTES", fine - 1)
    assert len(picture_of(squeezed.getvalue()).content) < fine
    monkeypatch.setattr(pictures, "MAX_KEPT_BYTES", squeezed.tell() // 10)
    assert "written anew it takes" in refusal(squeezed.getvalue())


def test_a_picture_that_its_form_cannot_hold_when_written_anew_is_refused(monkeypatch):
    monkeypatch.setitem(pictures._OPTIONS, "image/png", [{"format": "JPEG"}])
    assert "cannot be written anew" in refusal(an_image("PNG", "RGBA"))


@pytest.mark.filterwarnings("ignore:.*:UserWarning")  # Pillow warns of damaged metadata, which is dropped anyway
def test_damage_of_any_kind_is_a_refusal_or_a_clean_picture_and_never_a_fault():
    rng = random.Random(7)
    seeds = [an_image(form, exif=exif()) for form in FORMS]
    outcomes: set[type] = set()
    for _ in range(600):
        content = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 6)):
            content[rng.randrange(len(content))] = rng.choice((0, 255, rng.randrange(256)))
        try:
            outcomes.add(type(picture_of(bytes(content))))
        except Invalid as refused:
            outcomes.add(type(refused))
    assert outcomes == {Picture, Invalid}


async def test_decoding_does_not_hold_up_the_event_loop():
    assert await Pictures().picture(an_image()) == picture_of(an_image())


def test_the_headers_show_an_image_and_let_nothing_in_it_run():
    kept = Kept("img_1", 'Ünï"; x.png', "image/png", 1, "ab" * 32, 1, 1, "a letter", NOW)
    headers = image_headers(kept)
    assert headers["Content-Disposition"] == (
        "inline; filename=\"Uni__ x.png\"; filename*=UTF-8''%C3%9Cn%C3%AF%22%3B%20x.png"
    )
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Cache-Control"].startswith("private")
    assert all(value.isascii() and value.isprintable() for value in headers.values())
