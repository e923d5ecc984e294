"""What axe-core, the usual checker of accessibility, has to say of every page."""

from __future__ import annotations

from pathlib import Path

import pytest
from fake_api import TRACE_ID

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor/axe-core/axe.min.js").read_text(encoding="utf-8")
TRACE = f"/traces/{TRACE_ID}"
#: Scenario and path of each page, in each state that has markup of its own.
PAGES = (
    ("shop", "/services"),
    ("empty", "/services"),
    ("shop", "/services/checkout"),
    ("shop", "/services/checkout?operation=POST%20%2Forders"),
    ("shop", "/traces"),
    ("shop", "/differences?service=checkout&selected_min=600ms"),
    ("shop", "/map?earlier=1h"),
    ("open", "/traces"),
    ("empty", "/traces"),
    ("shop", "/traces?filter=duration+%3E+500mz"),
    ("shop", "/traces?filter=broken"),
    ("shop", "/traces?start=tomorrowish"),
    ("shop", TRACE),
    *(("shop", f"{TRACE}?view={view}") for view in ("logs", "flame", "services")),
    ("hostile", f"{TRACE}?view=spans"),
    ("shop", f"/traces/compare?a={TRACE_ID}&b={'e' * 32}"),
    ("open", TRACE),
    ("raised", f"{TRACE}?span=0000000000000001"),
    ("shop", "/traces/dead0000000000000000000000000000"),
    ("hostile", "/views"),
    ("hostile", "/pinned"),
    ("hostile", "/retention"),
    ("empty", "/retention"),
    *(
        ("shop", path)
        for path in ("/users", "/users/u-4711", "/tasks", "/coverage", "/costs", "/self-time", "/profiles")
    ),
    ("shop", "/logs?view=patterns"),
    ("shop", "/logs/log-2"),
    ("shop", "/logs"),
    ("empty", "/logs"),
    ("raised", "/logs"),
    ("shop", "/issues"),
    ("empty", "/issues"),
    ("shop", "/issues?filter=broken"),
    ("shop", "/issues/CHECKOUT-12"),
    ("shop", "/issues/CHECKOUT-12?view=trace"),
    ("shop", "/issues/CHECKOUT-12?view=logs"),
    ("shop", "/issues/CHECKOUT-12?view=attributes"),
    ("shop", "/issues/CHECKOUT-12?view=events"),
    ("shop", "/issues/NOBODY-1"),
    ("shop", "/findings?state=all"),
    ("shop", "/findings/1"),
    ("shop", "/anomalies?state=fine"),
    ("shop", "/anomalies/1"),
    *(("shop", path) for path in ("/slos", "/slos/up", "/slos/new")),
    ("shop", "/incidents"),
    ("empty", "/incidents"),
    ("shop", "/incidents?view=report&last=7d"),
    ("shop", "/incidents/INC-2"),
    ("shop", "/incidents/INC-2/postmortem"),
    ("shop", "/releases"),
    ("shop", "/releases?service=checkout"),
    ("empty", "/releases"),
    ("shop", "/server"),
    ("unwell", "/server"),
    ("shop", "/nowhere"),
)
#: Minor ones are a matter of taste; these keep somebody from reading or using the page.
IMPACTS = ("moderate", "serious", "critical")
#: Everything that opens is open, since what is folded is not looked at; the range and the table of keys float above
#: the page and would cover it.
OPEN_ALL = """async () => {
  for (const it of document.querySelectorAll("main details")) it.open = true;
  await new Promise((done) => setTimeout(done, 50)); // details fill themselves in tasks of their own
}"""
RUN = """async (impacts) => {
  const { violations } = await axe.run(document, { resultTypes: ["violations"] });
  return violations.filter((it) => impacts.includes(it.impact)).flatMap((it) =>
    it.nodes.slice(0, 3).map((node) => `${it.id} (${it.impact}): ${node.target} ${node.failureSummary}`));
}"""
#: A rule for how a part is laid out must not win over its being hidden.
SHOWN = """() => [...document.querySelectorAll("main [hidden]")].filter((it) => it.checkVisibility())
  .map((it) => `hidden, and yet to be seen: ${it.id || it.className}`)"""
#: Colours fade from one theme to the other.
SETTLED = """async () => {
  const fading = document.getAnimations().filter((it) => it instanceof CSSTransition);
  await Promise.allSettled(fading.map((it) => it.finished));
}"""
#: Only what another theme and width can break: the markup is the same.
RUN_LOOK = RUN.replace(
    "{ resultTypes:",
    '{ runOnly: ["color-contrast", "scrollable-region-focusable", "aria-hidden-focus", "link-name"], resultTypes:',
)


def test_axe_finds_nothing(open_page):
    """No page has a moderate, serious or critical violation, whatever its state, theme and width."""
    found = {}
    for scenario, path in PAGES:
        page = open_page(scenario, path, scheme="light", width=1400, allow=("Failed to load resource",))
        page.evaluate(OPEN_ALL)
        page.evaluate(AXE)  # not a script element: the policy of the pages lets none in
        violations = page.evaluate(RUN, IMPACTS) + page.evaluate(SHOWN)
        page.emulate_media(color_scheme="dark")
        page.set_viewport_size({"width": 390, "height": 900})
        page.evaluate(SETTLED)
        violations += page.evaluate(RUN_LOOK, IMPACTS)
        if violations:
            found[f"{scenario} {path}"] = violations
        open_page.close(page)
    assert found == {}


def test_axe_would_find_something(open_page):
    """An image without a text and grey on grey are found, so that silence means something."""
    page = open_page("shop", "/services")
    page.evaluate(AXE)
    page.evaluate("""() => {
      const picture = document.createElement("img");
      const faint = Object.assign(document.createElement("p"), { textContent: "hardly to be read" });
      faint.style.cssText = "color: #888; background: #777";
      document.querySelector("main").append(picture, faint);
    }""")
    assert {line.split(" ")[0] for line in page.evaluate(RUN, IMPACTS)} == {"image-alt", "color-contrast"}
