"""The line that shows, on a terminal, what a command waits for."""

import sys
import time

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text

from app.client import Answer, Unanswered


class WaitingLine:
    """What is waited for, and when it is asked again; on standard error, and only on a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or (Console(stderr=True) if sys.stderr.isatty() else None)
        self._spinner = Spinner("dots")
        self._live: Live | None = None
        self._text, self._asks_at = "", 0.0

    def show(self, text: str, seconds: float) -> None:
        """Show this from now on, and that it is asked again after so many seconds."""
        self._text, self._asks_at = text, time.monotonic() + seconds
        if self._console is not None and self._live is None:
            self._live = Live(
                console=self._console,
                get_renderable=self._draw,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start()

    def clear(self) -> None:
        """Take the line away, so that something else can be printed; show brings it back."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _draw(self) -> Spinner:
        left = max(0.0, self._asks_at - time.monotonic())
        self._spinner.update(text=Text(f"{self._text}; asking again in {left:.0f} s"))
        return self._spinner


def waiting_for(last: Answer | Unanswered) -> str:
    """Return in words what stands in the way."""
    if isinstance(last, Unanswered):
        return f"no answer: {last}"
    since = last.body.get("since")
    return f"{last.state} since {since}: {last.summary}" if since else f"{last.state}: {last.summary}"
