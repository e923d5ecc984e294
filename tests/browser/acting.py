"""What tests do on a page, each returning only when the page has answered."""

from __future__ import annotations

import time

#: `toggle` comes in a task of its own after the click; two frames and a task later every listener of it has run.
IS_OPEN = """it => new Promise((done) => {
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(it.parentElement.open))));
})"""
_PATIENCE_S = 60.0  # only a failure waits so long


def open_details(summary):
    """Click the summary of details, and return when what opening (or closing) them changes has changed.

    Only on pages with script: without it no frame calls back.
    """
    element = summary.element_handle()
    was_open = element.evaluate("it => it.parentElement.open")
    element.click()
    until = time.monotonic() + _PATIENCE_S
    while element.evaluate(IS_OPEN) == was_open:
        assert time.monotonic() < until, "the details did not change"
