"""The JSON-ready shapes of briefings: one place, so that API, events and page say the same."""

from typing import Any

from app.core.campaign.briefing import Acknowledgement, Briefing, Image, Words
from app.services.shapes import Shape, instant


def briefing_shape(briefing: Briefing) -> Shape:
    """Return a briefing as the API shows it; who is missing by name, the images without their bytes."""
    return {
        "campaign": briefing.campaign,
        "version": briefing.version,
        **words_shape(briefing.words),
        "author": briefing.author,
        "saved_at": instant(briefing.saved_at),
        "images": [image_shape(image) for image in briefing.images],
        **acknowledgements_shape(briefing),
    }


def words_shape(words: Words) -> dict[str, Any]:
    """Return what a briefing says."""
    return {
        "offer": words.offer,
        "recipients": words.recipients,
        "questions": [{"question": item.question, "answer": item.answer} for item in words.questions],
        "links": [{"title": item.title, "url": item.url} for item in words.links],
        "acknowledge_by": list(words.acknowledge_by),
    }


def image_shape(image: Image) -> Shape:
    """Return an image without its bytes."""
    return {
        "id": image.id,
        "name": image.name,
        "media_type": image.media_type,
        "size": image.size,
        "sha256": image.sha256,
        "width": image.width,
        "height": image.height,
        "alt": image.alt,
        "added_at": instant(image.added_at),
    }


def acknowledgements_shape(briefing: Briefing) -> Shape:
    """Return who has acknowledged, newest first, and who has not; those of former versions do not count."""
    newest_first = sorted(briefing.acknowledgements, key=lambda each: (each.at, each.by), reverse=True)
    return {
        "is_acknowledged": not briefing.missing,
        "missing": list(briefing.missing),
        "acknowledgements": [acknowledgement_shape(each, briefing) for each in newest_first],
    }


def acknowledgement_shape(given: Acknowledgement, briefing: Briefing) -> Shape:
    """Return one acknowledgement; counts says whether it is of the present version."""
    return {
        "by": given.by,
        "name": given.name,
        "at": instant(given.at),
        "version": given.version,
        "counts": briefing.holds(given),
    }
