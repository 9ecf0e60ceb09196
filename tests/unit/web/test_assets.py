"""What of our own scripts and sheets goes over the wire."""

import re

import pytest

from app.build import PACKAGE
from app.web.assets import ONLY_COMMENT

OWN = sorted(path for kind in ("js", "css") for path in (PACKAGE / "static" / kind).iterdir())


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (b"// why\nlet a = 1; // what\n", b"let a = 1; // what\n"),
        (b'  // why\n  const url = "http://x";\n', b'  const url = "http://x";\n'),
        (b"/* why */\n.a { color: red; }\n", b".a { color: red; }\n"),
        (b"/* why */ .a { color: red; }\n", b"/* why */ .a { color: red; }\n"),
        (b"/* begins\n   ends */\n", b"/* begins\n   ends */\n"),
        (b"const pattern = /a/;\n/b/.test(a);\n", b"const pattern = /a/;\n/b/.test(a);\n"),
    ],
)
def test_only_lines_that_are_nothing_but_a_comment_are_left_out(written, sent):
    assert ONLY_COMMENT.sub(b"", written) == sent


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_no_text_of_several_lines_holds_what_looks_like_a_comment(path):
    content = path.read_bytes()
    for text in re.findall(rb"`[^`]*`", content):
        assert ONLY_COMMENT.sub(b"", text) == text
