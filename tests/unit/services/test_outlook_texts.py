"""What an outlook was made from comes back exactly, and makes the same outlook."""

from dataclasses import fields

import numpy as np
import pytest

from app.core.forecast.foresee import foresee
from app.core.forecast.kernel import binned_kernel
from app.core.forecast.known import gate_case
from app.core.forecast.uncertainty import MEAN
from app.services.outlook_texts import foreseen_shape, pack_foreseen, pack_known, unpack_foreseen, unpack_known
from tests.support.foreseen import a_known, a_queue, a_send

LEARNED = binned_kernel(np.array([0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.02, 0.02, 0.01]))


def same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other)
    return one == other


@pytest.mark.parametrize("patience", [180.0, None])
def test_what_was_known_comes_back_exactly(patience):
    known = a_known(
        a_queue(busy=None, expected=np.linspace(0.1, 33.3, 49), patience_seconds=patience, is_patience_known=False),
        a_queue("billing", is_open=np.arange(240) % 7 > 0),
        sent=(a_send((0.0, 5_000.0), (-12.5, 1_000.0)),),
    )
    again = unpack_known(pack_known(known))
    assert (again.at, again.limits, again.sent, again.senders) == (known.at, known.limits, known.sent, known.senders)
    assert same(again.may_start, known.may_start)
    assert same(again.kernel.masses, known.kernel.masses)
    for queue, other in zip(known.queues, again.queues, strict=True):
        differing = [
            each.name for each in fields(queue) if not same(getattr(queue, each.name), getattr(other, each.name))
        ]
        assert differing == []


def test_a_learned_kernel_comes_back():
    known = a_known()
    learned = type(known)(**{each.name: getattr(known, each.name) for each in fields(known)} | {"kernel": LEARNED})
    again = unpack_known(pack_known(learned))
    assert same(again.kernel.masses, LEARNED.masses)
    assert again.kernel.is_learned


def test_the_same_comes_out_of_what_was_kept():
    known = a_known(sent=(a_send((0.0, 1_000.0)),))
    foreseen = foresee(gate_case(known), MEAN)
    again = foresee(gate_case(unpack_known(pack_known(known))), MEAN)
    assert foreseen_shape(again) == unpack_foreseen(pack_foreseen(foreseen))


def test_another_text_is_refused():
    with pytest.raises(ValueError, match="no kept outlook"):
        unpack_known(b"something else")
