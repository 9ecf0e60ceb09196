"""Two themes of charts, and what becomes of one on a dark screen that is printed."""

import json
from dataclasses import asdict

from app.web.palettes import THEMES, on_paper


def test_a_dark_chart_is_printed_in_the_light_themes_colours_and_a_light_one_as_it_is():
    inks, dark, light = on_paper(), json.dumps(asdict(THEMES["dark"])), json.dumps(asdict(THEMES["light"]))
    for colour, ink in inks.items():
        assert f'"{ink}"' in light
        assert f'"{colour}"' not in light
        dark = dark.replace(f'"{colour}"', f'"{ink}"')
    assert dark == light
