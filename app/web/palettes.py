"""The colours of charts, one palette per theme. Plotly cannot read CSS variables, so they are said here again."""

from dataclasses import dataclass, fields

from app.core.gate.decision import Verdict


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of one theme; states as in the page's style sheet.

    cost shades what hurt, sent what a send may lead to.
    """

    text: str
    muted: str
    grid: str
    line: str
    envelope: str
    limit: str
    resume: str
    surface: str
    veil: str
    states: dict[Verdict, str]
    cost: str
    sent: str


THEMES = {
    "dark": Palette(
        text="#e6ebf0",
        muted="#93a0ad",
        grid="rgba(147,160,173,0.16)",
        line="#d5dde5",
        envelope="rgba(213,221,229,0.14)",
        limit="#ff5a4d",
        resume="rgba(147,160,173,0.9)",
        surface="#161c23",
        veil="rgba(22,28,35,0.7)",
        states={
            Verdict.SEND: "#4aa8ff",
            Verdict.THROTTLE: "#ffd166",
            Verdict.HOLD: "#ff5a4d",
            Verdict.UNKNOWN: "#8b95a3",
        },
        cost="rgba(255,90,77,0.16)",
        sent="rgba(74,168,255,0.2)",
    ),
    "light": Palette(
        text="#17202a",
        muted="#566270",
        grid="rgba(86,98,112,0.16)",
        line="#25303b",
        envelope="rgba(37,48,59,0.12)",
        limit="#b3261e",
        resume="rgba(86,98,112,0.9)",
        surface="#ffffff",
        veil="rgba(255,255,255,0.75)",
        states={
            Verdict.SEND: "#0b62b8",
            Verdict.THROTTLE: "#f2b01e",
            Verdict.HOLD: "#b3261e",
            Verdict.UNKNOWN: "#5f6b7a",
        },
        cost="rgba(179,38,30,0.13)",
        sent="rgba(11,98,184,0.15)",
    ),
}


def on_paper() -> dict[str, str]:
    """Return, for each colour of the dark theme, the light theme's: a chart on a dark screen is printed in these."""
    dark, light = (_colours(THEMES[name]) for name in ("dark", "light"))
    return dict(zip(dark, light, strict=True))


def _colours(palette: Palette) -> list[str]:
    """Return all colours of a theme, in one order."""
    plain = [getattr(palette, field.name) for field in fields(palette) if field.name != "states"]
    return [*plain, *(palette.states[verdict] for verdict in Verdict)]
