"""Searching in a real browser: widths, completion, names as they are, what counts as an error."""

from __future__ import annotations

import re

import pytest

pytestmark = pytest.mark.browser

REFUSED = ("Failed to load resource",)


@pytest.mark.parametrize("width", [897, 1024, 1199, 1440])
@pytest.mark.parametrize(("path", "row"), [("/traces", "tbody tr"), ("/logs", ".log-r")])
def test_results_are_in_sight_at_every_width(open_page, path, row, width):
    """Facets stand beside the results, not above them, from the narrowest desk on."""
    page = open_page("shop", path, width=width)
    facets, first = (
        page.locator(".facets[role=group]").bounding_box(),
        page.locator(f".main {row}").first.bounding_box(),
    )
    assert first["x"] >= facets["x"] + facets["width"]
    assert first["y"] < 900


def test_tab_takes_only_what_completes_the_present_text(open_page):
    """Completions made for an earlier text are gone with the next letter, and the focus waits for new ones."""
    page = open_page("shop", "/traces")
    field = page.locator(".filter input[name=filter]")
    page.keyboard.press("f")
    page.keyboard.type("service.name ")
    page.locator("#completions [role=option] >> text=is not").wait_for()
    page.route("**/api/v1/values*", lambda _: None)  # an answer that takes for ever
    page.keyboard.type("= ch")
    page.keyboard.press("Tab")
    assert field.input_value() == "service.name = ch"
    assert page.evaluate("document.activeElement.name") == "filter"


def test_keys_are_completed_without_asking_again(open_page):
    """The keys were loaded once; each letter only narrows what is offered."""
    page = open_page("shop", "/traces")
    page.keyboard.press("f")
    page.keyboard.type("sh")
    page.locator("#completions [role=option]").first.wait_for()
    asked = len(page.served.api.asked)
    page.keyboard.type("op.cu")
    page.locator("#completions [role=option] >> text=shop.cart.items").wait_for(state="detached")
    assert [path for path, _ in page.served.api.asked[asked:] if path.endswith("/keys")] == []
    page.keyboard.press("Tab")
    assert page.locator(".filter input[name=filter]").input_value() == "shop.currency "


def test_names_keep_their_blanks(open_page, serve):
    """A service whose name begins and ends with blanks is asked for by that name, from the picker and from a link."""
    page = open_page("shop", "/traces?service=%20odd%20%20name%20")
    assert page.locator("select[name=service]").input_value() == " odd  name "
    page.locator("select[name=service]").evaluate("it => it.form.requestSubmit()")
    page.wait_for_load_state()
    asked = [params for path, params in serve("shop").api.asked if path == "/api/v1/traces" and "odd" in str(params)]
    assert {params["service"] for params in asked} == {" odd  name "}


def test_failing_traces_are_those_that_count_as_errors(serve):
    """A service's page lists requests that failed, as its figure counts them; an operation's page all of its spans."""
    served = serve("shop")
    served.fetch("/services/cart")
    served.fetch("/services/cart?operation=GET")
    lists = [
        params for path, params in served.api.asked if path == "/api/v1/traces" and params.get("service") == "cart"
    ]
    failing = {(params.get("operation", ""), params["filter"]) for params in lists
               if params["sort"] == "time" and params["limit"] != "1"}  # fmt: skip
    assert failing == {("", "status = error and (kind = server or kind = consumer)"), ("GET", "status = error")}


def test_landmarks_and_links_have_names(open_page):
    """The searches of a page are told apart, a link in a sentence is underlined, code that scrolls takes focus."""
    page = open_page("shop", "/traces")
    names = page.locator("[role=search]").evaluate_all("all => all.map((one) => one.getAttribute('aria-label'))")
    assert names == ["Jump", "Search spans"]
    line = page.locator(".note a.err").evaluate("it => getComputedStyle(it).textDecorationLine")
    assert line == "underline"
    empty = open_page("empty", "/traces")
    assert empty.locator("pre:not([tabindex])").count() == 0


def test_a_key_that_nobody_sends_is_named(open_page):
    """A search without results names the key that no span has; the nearest one is a click away."""
    page = open_page("shop", "/traces?filter=http.rout%20%3D%20%2Fcart&last=2h")
    assert page.locator(".hint.warn").inner_text() == (
        "No span of this time range has a key http.rout. Did you mean http.route?"
    )
    page.locator(".hint.warn a").click()
    page.wait_for_url("**filter=http.route%20**")
    assert page.locator(".filter input[name=filter]").input_value() == "http.route = /cart"
    assert page.locator(".hint.warn").count() == 0


@pytest.mark.parametrize(
    ("query", "field", "typed", "says"),
    [
        ("start=soon", "start", "soon", "'soon' is not a time: write now, now-15m"),
        ("start=now-2h&end=later", "end", "later", "'later' is not a time: write now, now-15m"),
        ("last=5x", "start", "now-5x", "'5x' is not a length of time: write 15m, 1h30m or 7d."),
        ("start=now&end=now-1h", "start", "now", "The range begins after it ends."),
    ],
)
@pytest.mark.parametrize("path", ["/traces", "/services"])
def test_an_unreadable_range_keeps_the_page(open_page, path, query, field, typed, says):
    """The range's form is open, the field marked, with what was typed; the page shows the default range."""
    page = open_page("shop", f"{path}?filter=name%20exists&{query}", allow=REFUSED)
    marked = page.locator(".range [aria-invalid]")
    assert [marked.get_attribute("name"), marked.input_value()] == [field, typed]
    assert page.evaluate("document.activeElement.getAttribute('aria-describedby')") == "bad-range"
    said = page.locator("#bad-range").inner_text()
    assert said.startswith(says)
    assert said.endswith("The page shows the last 1 hour meanwhile.")
    assert page.locator("main tbody tr").count() > 3
    assert page.url.endswith(f"{path}?filter=name+exists")
    if path == "/traces":
        assert page.locator(".filter input[name=filter]").input_value() == "name exists"
        assert page.locator(".facet").count() > 3


def test_a_form_with_an_unreadable_time_goes_back_to_its_page(serve):
    """What was typed into the range's form comes back with the filter; the answer says that it was refused."""
    served = serve("shop")
    params = {"back": "/logs", "filter": "a = 1", "start": "soon", "end": "now"}
    sent = served.fetch("/range", params=params)
    assert (sent.status_code, sent.headers["location"]) == (303, "/logs?filter=a%20%3D%201&start=soon&end=now")
    shown = served.fetch(sent.headers["location"])
    assert shown.status_code == 400
    assert "start=soon" not in shown.text  # no link carries it on


@pytest.mark.parametrize(
    ("path", "field"),
    [("/traces?filter=a%20%3D%20500mz", "filter"), ("/logs?filter=a%20%3D%20500mz", "filter"),
     ("/traces?min=5x&filter=name%20exists", "min")],
)  # fmt: skip
def test_a_search_that_cannot_be_read_keeps_the_page(open_page, path, field):
    """The field is marked, form, range and facets stay, and a value of a facet begins a new search."""
    page = open_page("shop", path, allow=REFUSED)
    marked = page.locator("main [aria-invalid]")
    assert marked.get_attribute("name") == field
    assert page.locator(f"#{marked.get_attribute('aria-describedby')}").inner_text()
    assert page.locator("details.range").count() == 1
    assert page.locator(".empty b").inner_text() == "Nothing was searched."
    if field == "filter":
        page.locator(".facet .pick").first.click()
        page.wait_for_url(re.compile("filter=(service.name|severity)"))
        assert page.locator("[aria-invalid]").count() == 0


@pytest.mark.parametrize(
    ("text", "to"),
    [("4f1c2b77", "/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e"),
     ("4F1C2B77D0", "/traces/4f1c2b77d06e4b9c8a53f0e1b2c6a90e"),
     ("Anomalies", "/anomalies"), ("on-call", "/on-call"), ("costs", "/costs"),
     ("00000000", "/traces?filter=%2200000000%22"), ("dddddddd", "/traces?filter=%22dddddddd%22")],
)  # fmt: skip
def test_the_beginning_of_an_id_opens_its_trace(serve, text, to):
    """Jump opens the only trace whose id begins so; of several, or none, it searches the text."""
    assert serve("shop").fetch("/jump", params={"q": text}).headers["location"] == to
