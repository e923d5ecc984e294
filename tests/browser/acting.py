"""What tests do on a page, each returning only when the page has answered."""

from __future__ import annotations

#: `toggle` comes in a task of its own after the click, so that what fills the details may not have run when a click
#: returns; one more task later every listener of it has run, whichever was added first.
TOGGLED = """it => {
  const details = it.parentElement;
  window.toggled = new Promise((done) => details.addEventListener("toggle", () => setTimeout(done), { once: true }));
}"""


def open_details(summary):
    """Click the summary of details, and return when what opening them fills is there."""
    summary.evaluate(TOGGLED)
    summary.click()
    summary.page.evaluate("() => window.toggled")
