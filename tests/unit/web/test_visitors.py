"""Where signing in leads, and which forms are our own."""

import pytest

from app.web.visitors import local_path


@pytest.mark.parametrize(
    "target", ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\x", "", "x", "/a\nb"]
)
def test_signing_in_leads_nowhere_else(target):
    assert local_path(target) == "/"


def test_signing_in_leads_back_to_the_page_asked_for():
    assert local_path("/?gate=emea&range=6h") == "/?gate=emea&range=6h"
