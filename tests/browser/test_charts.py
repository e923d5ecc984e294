"""Charts that script draws (static/js/charts/), by themselves on a page: crosshair, zoom, legend, numbers."""

from __future__ import annotations

import pytest
from test_accessibility import AXE, IMPACTS, RUN

from spanglass_server.pages.rendering import format as fmt

pytestmark = pytest.mark.browser

#: Puts a chart of three series at 30 s steps into the page; the second has a gap and the first an exemplar.
DRAW = """async (look) => {
  const base = document.querySelector("link[href$='pages.css']").href.replace("pages.css", "");
  for (const name of ["vendor/uplot/uPlot.min.css", "charts.css"]) {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href: base + name });
    await new Promise((done) => { link.onload = done; document.head.append(link); });
  }
  const { Chart } = await import(`${base}js/charts/chart.js`);
  const { fromMatrix } = await import(`${base}js/charts/frame.js`);
  const [start, end, step] = [1763722800, 1763724600, 30];
  const metrics = ["web", "cart", "mail"].map((host) => ({ __name__: "x", job: "shop", host }));
  const result = metrics.map((metric) => ({ metric, values: [] }));
  for (let t = start; t <= end; t += step) result.forEach(({ values }, k) => {
    if (k !== 1 || t < start + 600) values.push([t, String(k + (t - start) / 1800)]);
  });
  document.querySelector("main").replaceChildren(document.querySelector("h1"), document.createElement("div"));
  window.chart = new Chart(document.querySelector("main > div"), { label: "Requests", unit: "/s", ...look });
  window.show = () => window.chart.show({
    frame: fromMatrix(result, { start, end, step }),
    exemplars: [{ time: start + 900, value: 1, trace_id: "4f1c2b77d06e4b9c8a53f0e1b2c6a90e", span_id: "aa" }],
    annotations: [{ time: start + 600, text: "shop 2.1" }],
  });
  window.show();
}"""


def test_a_chart_is_read_and_zoomed_by_keys_and_pointer(open_page):
    """Arrows move a crosshair whose values are said, new data leaves it there; a drag and the keys zoom."""
    page = open_page("shop", "/services")
    page.evaluate(DRAW, {})
    plot = page.locator(".c-face")
    plot.focus()
    page.keyboard.press("End")
    assert plot.get_attribute("aria-valuetext") == "12:30:00, mail 3\u202f/s, web 1\u202f/s".replace(
        "12:", "21 Nov 12:"
    )
    page.keyboard.press("ArrowLeft")
    page.evaluate("window.show()")
    assert plot.get_attribute("aria-valuetext").startswith("21 Nov 12:29:30, mail 2.98")
    assert page.evaluate("document.activeElement.className") == "c-face"
    for _ in range(39):
        page.keyboard.press("ArrowLeft")
    assert plot.get_attribute("aria-valuetext").endswith("shop 2.1")
    page.evaluate(AXE)
    page.locator(".c-values summary").click()
    row = page.locator(".c-values tbody tr").first.inner_text()
    assert row.split("\t") == ["21 Nov 12:30:00", "1\u202f/s", fmt.NONE, "3\u202f/s"]
    assert page.evaluate(RUN, IMPACTS) == []
    plot.focus()
    page.keyboard.press("Home")
    page.keyboard.press("Shift+PageDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/services?start=2025-11-21T11%3A00%3A00.000Z&end=2025-11-21T11%3A05%3A00.000Z")
    page.wait_for_selector("html[data-ready]")
    page.evaluate(DRAW, {})
    box = page.locator(".u-over").bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    assert page.locator(".c-tip p").all_inner_texts() == ["21 Nov 12:15:00", "mail\n2.5\u202f/s", "web\n0.5\u202f/s"]
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=3)
    page.mouse.up()
    page.wait_for_url("**/services?start=2025-11-21T11%3A15%3A**")


def test_series_are_hidden_by_the_legend_and_traces_opened_by_dots(open_page):
    """A legend's button hides its series, with shift the others; it keeps the focus; a dot opens its trace."""
    page = open_page("shop", "/services")
    page.evaluate(DRAW, {"kind": "area", "stack": True})
    buttons = page.locator(".c-legend button")
    buttons.nth(1).press("Enter")
    pressed = "all => all.map((it) => it.getAttribute('aria-pressed'))"
    assert buttons.evaluate_all(pressed) == ["true", "false", "true"]
    assert page.evaluate("document.activeElement.textContent") == "cart"
    assert page.evaluate("[...window.chart.u.data[3]].at(-1)") == 4, "what is hidden is in no sum"
    buttons.nth(0).click(modifiers=["Shift"])
    assert buttons.evaluate_all(pressed) == ["true", "false", "false"]
    page.locator(".c-ex").click(force=True)
    page.wait_for_url("**/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e?span=aa")


def test_every_kind_draws_in_both_themes(open_page):
    """Lines, areas, bars and heatmaps put colour on their canvas, and change it with the theme."""
    page = open_page("shop", "/services")
    drawn = """() => {
      const it = document.querySelector(".c-plot canvas");
      const { data } = it.getContext("2d").getImageData(0, 0, it.width, it.height);
      return data.reduce((sum, one, i) => (sum * 31 + one * (i % 7)) % 1e9, 7);
    }"""
    seen = set()
    looks = (
        {"log": True, "gaps": True},
        {"kind": "area", "stack": True},
        {"kind": "bar"},
        {"kind": "bar", "stack": True},
    )
    for look in looks:
        page.evaluate(DRAW, look)
        seen.add(page.evaluate(drawn))
        page.locator("#theme-switch").click()
        page.locator("#theme-switch").click()
        seen.add(page.evaluate(drawn))
        page.locator("#theme-switch").click()
    assert len(seen) == 8
    page.evaluate(DRAW, {"kind": "heat", "unit": "s"})
    page.evaluate("""async () => {
      const base = document.querySelector("link[href$='charts.css']").href.replace("charts.css", "");
      const { fromBuckets } = await import(`${base}js/charts/heat.js`);
      const values = (n) => [[60, `${n}`], [120, `${2 * n}`]];
      const result = [["+Inf", 9], ["0.1", 4], ["1.0", 9]].map(([le, n]) => ({ metric: { le }, values: values(n) }));
      const frame = fromBuckets(result, { start: 60, end: 180, step: 60 });
      window.cells = frame.cells;
      window.chart.show({ frame });
    }""")
    assert page.evaluate("window.cells") == [[4, 8, None], [5, 10, None], [0, 0, None]]
    page.locator(".c-face").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowUp")
    said = page.locator(".c-face").get_attribute("aria-valuetext").replace("\u202f", " ")
    assert said == "1 Jan 01:01, 0 ns to 100 ms 4, 100 ms to 1 s 5"


#: Functions of units.js and format.py that must agree, with values.
SAME = {
    "compactParts": (fmt.compact, [0, 950, 3000, 1_250_000, 12.5]),
    "sizeParts": (lambda v: fmt.THIN.join(fmt.size_parts(v)), [0, 512, 1536, 5_000_000, 7e12, 3e15]),
    "percentParts": (lambda v: fmt.THIN.join(fmt.percent_parts(v)), [0, 0.0004, 0.082, 0.5, 1]),
    "rateParts": (lambda v: fmt.THIN.join(fmt.rate_parts(v)), [0, 0.05, 11.83, 4180]),
}


def test_charts_write_numbers_as_the_server_does(open_page):
    """Sizes, shares, rates and large numbers are the same text in a chart and on a page that the server wrote."""
    page = open_page("shop", "/services")
    module = page.locator("script[type=module]").first.get_attribute("src").replace("main.js", "charts/units.js")
    asked = {name: values for name, (_, values) in SAME.items()}
    found = page.evaluate(
        """async ([module, asked]) => {
          const units = await import(module);
          const written = ([name, values]) => [name, values.map((v) => units[name](v).filter(Boolean).join("\u202f"))];
          return Object.fromEntries(Object.entries(asked).map(written));
        }""",
        [module, asked],
    )
    assert found == {name: [write(value) for value in values] for name, (write, values) in SAME.items()}
    axes = [[0, 37, ""], [0, 3e9, "bytes"], [0, 100, "s"], [-3, 5, ""]]
    steps = "async ([module, axes]) => { const u = await import(module); return axes.map((it) => u.axisSteps(...it)); }"
    assert page.evaluate(steps, [module, axes]) == [
        [0, 10, 20, 30, 40],
        [2**30 * n for n in range(4)],
        [0, 30, 60, 90, 120],
        [-4, -2, 0, 2, 4, 6],
    ]
    shares = (
        "async ([module, values]) => { const u = await import(module); "
        "return values.map((v) => u.axisText(v, 'ratio')); }"
    )
    assert page.evaluate(shares, [module, [0, 2e-4, 4e-4, 0.0015, 1]]) == [
        "0",
        *(f"{number}\u202f%" for number in (0.02, 0.04, 0.15, 100)),
    ]
