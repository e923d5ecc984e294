"""Stack traces of Ruby."""

import pytest

from spanglass_core.stacks.model import Frame
from spanglass_core.stacks.ruby import read

TOP = """\
/app/t.rb:10:in `rescue in <main>': outer (ArgumentError)
\tfrom /app/t.rb:7:in `<main>'
/app/t.rb:3:in `take': no stock (StockError)
for 5
\tfrom /app/t.rb:5:in `block (2 levels) in reserve'
\tfrom /app/t.rb:4:in `each'
\tfrom /app/t.rb:4:in `reserve'
"""
BOTTOM = """\
Traceback (most recent call last):
\t3: from /app/t.rb:4:in `reserve'
\t2: from /app/t.rb:4:in `each'
\t1: from /app/t.rb:5:in `block (2 levels) in reserve'
/app/t.rb:3:in `take': no stock (StockError)
for 5
\t1: from /app/t.rb:7:in `<main>'
/app/t.rb:10:in `rescue in <main>': outer (ArgumentError)
"""
COLOURED = (
    "/app/t.rb:10:in `rescue in <main>': \x1b[1mouter (\x1b[1;4mArgumentError\x1b[m\x1b[1m)\x1b[m\n"
    "\tfrom /app/t.rb:7:in `<main>'\n/app/t.rb:3:in `take': \x1b[1mno stock (\x1b[1;4mStockError\x1b[m\x1b[1m)\x1b[m\n"
    "\x1b[1mfor 5\x1b[m\n\tfrom /app/t.rb:5:in `block (2 levels) in reserve'\n\tfrom /app/t.rb:4:in `each'\n"
    "\tfrom /app/t.rb:4:in `reserve'\n"
)


@pytest.mark.parametrize("text", [TOP, BOTTOM, COLOURED], ids=["top", "bottom", "coloured"])
def test_full_message(text):
    """Either order, with or without escape sequences: the same chain, what was caught first."""
    chain = read(text, "ArgumentError", "outer")

    assert [(one.type, one.message, one.relation, one.parent) for one in chain] == [
        ("ArgumentError", "outer", "", None),
        ("StockError", "no stock\nfor 5", "cause", 0),
    ]
    assert chain[1].frames == (
        Frame("reserve", "", "/app/t.rb", 4, in_app=True),
        Frame("each", "", "/app/t.rb", 4, in_app=False),
        Frame("block in reserve", "", "/app/t.rb", 5, in_app=True),
        Frame("take", "", "/app/t.rb", 3, in_app=True),
    )


@pytest.mark.parametrize(
    ("line", "frame"),
    [
        ("/app/s.rb:3:in 'Shop::Stock#take'", ("take", "Shop::Stock", "/app/s.rb", 3, True)),
        ("/app/s.rb:3:in 'block (2 levels) in Stock.find'", ("block in find", "Stock", "/app/s.rb", 3, True)),
        ("/app/s.rb:3:in 'Object#take'", ("take", "", "/app/s.rb", 3, True)),
        ("/app/s.rb:3:in `rescue in block in take'", ("block in take", "", "/app/s.rb", 3, True)),
        ("<internal:kernel>:187:in `loop'", ("loop", "", "<internal:kernel>", 187, False)),
        ("(eval at /app/s.rb:1):2:in 'x'", ("x", "", "(eval at /app/s.rb:1)", 2, False)),
        (
            "/usr/lib/ruby/gems/3.1.0/gems/rack-3/lib/r.rb:3:in `call'",
            ("call", "", "/usr/lib/ruby/gems/3.1.0/gems/rack-3/lib/r.rb", 3, False),
        ),
        (
            "app/views/a.html.erb:3:in `_app_views_a_html_erb___7788_90'",
            ("_app_views_a_html_erb", "", "app/views/a.html.erb", 3, True),
        ),
        ("-e:1:in `<main>'", ("<main>", "", "-e", 1, True)),
    ],
)
def test_frames(line, frame):
    """Labels are read alike in all versions, without the depth of blocks and the numbers of templates."""
    text = f"{line}: m (E)\n"

    assert read(text, "", "")[0].frames == (Frame(*frame),)
    assert read(f"E (m):\n\n{line}\n", "E", "m")[0].frames == (Frame(*frame),)


def test_log_of_rails():
    """The chain that Rails logs is told in short and then again with frames: each exception counts once."""
    text = """\

Stock::Empty (no tea)
Caused by: KeyError (key not found: "tea")

Information for: Stock::Empty (no tea):

app/models/stock.rb:4:in `rescue in take'
app/controllers/orders_controller.rb:7:in `create'

Information for cause: KeyError (key not found: "tea"):

app/models/stock.rb:2:in `fetch'
app/models/stock.rb:2:in `take'
"""
    chain = read(text, "", "")

    assert [(one.type, one.message, [frame.function for frame in one.frames]) for one in chain] == [
        ("Stock::Empty", "no tea", ["create", "take"]),
        ("KeyError", 'key not found: "tea"', ["take", "fetch"]),
    ]


@pytest.mark.parametrize(
    ("told", "sent", "expected"),
    [
        ("StockError", "", "StockError"),
        ("unhandled exception", "", "RuntimeError"),
        ("unhandled exception", "StockError", "StockError"),
        (" (StockError)", "", "StockError"),
    ],
)
def test_empty_message(told, sent, expected):
    """Without a message Ruby writes the type alone, and "unhandled exception" for a RuntimeError."""
    (raised,) = read(f"/app/t.rb:20:in `take': {told}\n\tfrom /app/t.rb:1:in `<main>'\n", sent, "")

    assert (raised.type, raised.message) == (expected, "")


@pytest.mark.parametrize(
    "text",
    [
        'Traceback (most recent call last):\n  File "a.py", line 3, in take\nKeyError: 3',
        'Traceback (most recent call last):\n  File "a.py", line 3, in take\nKeyError: a.rb:3:in `take\': x (Y)',
        "goroutine 1 [running]:\nmain.f()",
    ],
)
def test_other_languages_are_left_alone(text):
    """Stacks of Python and Go are not Ruby's."""
    assert read(text, "", "") is None
