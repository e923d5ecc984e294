"""Stacks of Go: reported, recovered and uncaught; errors that keep their callers."""

from __future__ import annotations

from spanglass_core.stacks.model import Frame, Raised
from spanglass_core.stacks.parse import parse

_UNCAUGHT = """panic: runtime error: index out of range [3] with length 0 [recovered]

goroutine 7 [running]:
example.com/shop/stock.(*Shelf[...]).Reserve(0xc000012345, {0x4b2c3d, 0x3})
	/src/stock/shelf.go:12 +0x20
main.main.func1()
	/src/main.go:9 +0x25
created by main.main in goroutine 1
	/src/main.go:8 +0x11

goroutine 1 [chan receive]:
main.main()
	/src/main.go:11 +0x30
exit status 2
"""


def test_an_uncaught_panic_in_full() -> None:
    """Only the goroutine that failed, without arguments, addresses and where it was started."""
    assert parse(_UNCAUGHT) == (
        Raised(
            "panic",
            "runtime error: index out of range [3] with length 0",
            (
                Frame("main.main.func1", "main", "/src/main.go", 9, in_app=True),
                Frame(
                    "example.com/shop/stock.(*Shelf).Reserve",
                    "example.com/shop/stock",
                    "/src/stock/shelf.go",
                    12,
                    in_app=True,
                ),
            ),
        ),
    )


def test_what_tells_of_an_error_is_left_out() -> None:
    """Frames of the SDK at the inner end are no part of the failure; type and message are those sent."""
    stack = (
        "goroutine 56 [running]:\n"
        "go.opentelemetry.io/otel/sdk/trace.recordStackTrace(...)\n"
        "\t/go/pkg/mod/go.opentelemetry.io/otel/sdk@v1.47.0/trace/span.go:527\n"
        "main.handled({0x1049330, 0x35f2c9173c80}, 0x35f2c9189618?)\n\t/app/main.go:110 +0x225\n"
    )
    (found,) = parse(stack, "*main.stockError", "empty")
    assert found == Raised(
        "*main.stockError", "empty", (Frame("main.handled", "main", "/app/main.go", 110, in_app=True),)
    )


def test_the_deferred_function_is_no_part_of_a_panic() -> None:
    """What recovered stands above the panic, what failed below it."""
    stack = (
        "goroutine 58 [running]:\nruntime/debug.Stack()\n\t/usr/local/go/src/runtime/debug/stack.go:26 +0x5e\n"
        "main.recovered.func1()\n\t/app/main.go:129 +0x23f\n"
        "panic({0xe7a7e0?, 0x35f2c9137000?})\n\t/usr/local/go/src/runtime/panic.go:860 +0x13a\n"
        "main.take(...)\n\t/app/main.go:134\n"
        "net/http.HandlerFunc.ServeHTTP(0x1)\n\t/usr/local/go/src/net/http/server.go:2286 +0x29\n"
    )
    (found,) = parse(stack, "*errors.errorString", "panic: x")
    assert (found.type, [frame.function for frame in found.frames]) == (
        "panic",
        ["net/http.HandlerFunc.ServeHTTP", "main.take"],
    )
    assert parse(stack, "runtime.boundsError")[0].type == "runtime.boundsError"


def test_errors_that_keep_their_callers() -> None:
    """What ``%+v`` prints last is what was caught; what it wraps is its cause."""
    stack = (
        "no such file\nmain.load\n\t/app/main.go:14\nmain.main\n\t/app/main.go:34\n"
        'settings of "a"\nmain.settings\n\t/app/main.go:17\nmain.main\n\t/app/main.go:34'
    )
    found = parse(stack, "*errors.withStack", "")
    assert [(one.type, one.message, one.relation, one.frames[-1].function) for one in found] == [
        ("*errors.withStack", 'settings of "a"', "", "main.settings"),
        ("", "no such file", "cause", "main.load"),
    ]
