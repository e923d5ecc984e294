"""Messages, files and functions without what differs between occurrences and builds."""

from __future__ import annotations

import pytest

from spanglass_core.grouping import normalise


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("order 7 of 'tea' failed", "order <n> of <text> failed"),
        ("can't open it, don't ask", "can't open it, don't ask"),
        ("mail to ada@shop.example bounced", "mail to <email> bounced"),
        ("no row 550e8400-e29b-41d4-a716-446655440000", "no row <uuid>"),
        ("no row 01ARZ3NDEKTSV4RRFFQ69G5FAV", "no row <ulid>"),
        ("dial 10.0.0.17:5432 and [fe80::1]", "dial <ip> and <ip>"),
        ("object at 0x7f3a2b1c, commit deadbeef01", "object at <hex>, commit <hex>"),
        ("since 2026-11-29T07:15:17.8Z", "since <time>"),
        ("open /srv/shop/x.json: no such file", "open <path>: no such file"),
        (r"open C:\shop\x.json", "open <path>"),
        ("GET https://api.example/v1/users/17?x=1 failed", "GET https://<host>/*/users/* failed"),
        ('bad body {"a": [1, {"b": 2}]}', "bad body <json>"),
        ("token eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9", "token <data>"),
        ("IN (1, 2, 3)", "IN (<n>)"),
        ("took 12.5ms of 1m30s", "took <n> of <n>"),
        ("no host db-7f9c.svc in zone eu-west-1a", "no host <id>.svc in zone <id>"),
        ("two\n  lines", "two lines"),
    ],
)
def test_messages(message: str, expected: str) -> None:
    """What differs is replaced by what it is, words stay."""
    assert normalise.message(message) == expected


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/app/stock.py", "stock"),
        ("/srv/shop-1.2.3/stock.py", "stock"),
        (r"C:\shop\stock.py", "stock"),
        ("/app/orders/views.py", "orders.views"),
        ("/srv/releases/20261127/orders/views.py", "orders.views"),
        ("/app/views.py", "views"),
        ("https://shop.example/static/js/main.3f2a9c.js?x=1", "main"),
        ("https://shop.example/assets/cart-DiwrgTda.js", "cart"),
        ("https://shop.example/_next/static/chunks/4712.js", "chunk"),
        ("webpack-internal:///./src/cart/index.ts", "cart.index"),
        ("file:///app/src/cart.service.ts", "cart.service"),
        ("", ""),
    ],
)
def test_places(file: str, expected: str) -> None:
    """A file is called the same wherever it is deployed and however it is bundled."""
    assert normalise.place(file) == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("com.shop.Main.lambda$main$3", "com.shop.Main.main"),
        ("com.shop.Stock$$EnhancerBySpringCGLIB$$1a2b.take", "com.shop.Stock.take"),
        ("com.shop.Main$$Lambda$14/0x00007f.run", "com.shop.Main.run"),
        ("jdk.proxy2.$Proxy42.take", "jdk.proxy2.$Proxy.take"),
        ("Shop.Stock.<Take>d__5.MoveNext", "Shop.Stock.Take"),
        ("Program.<>c__DisplayClass0_0.<Main>b__0", "Program.Main"),
        ("main.recovered.func2.1", "main.recovered"),
        ("shop::main::{{closure}}::{{closure}}", "shop::main"),
        ("shop::take::h0123456789abcdef", "shop::take"),
        ("Object.take", "take"),
        ("reserve/<", "reserve"),
        ("<module>", "<module>"),
    ],
)
def test_functions(function: str, expected: str) -> None:
    """What compilers and runtimes generate or number is left out."""
    assert normalise.function(function) == expected


def test_types() -> None:
    """A type is the same in a script and in a module of builtins, and by its older names."""
    names = ["__main__.Missing", "builtins.KeyError", "asyncio.exceptions.TimeoutError", "shop.Missing"]
    assert [normalise.type_name(name) for name in names] == ["Missing", "KeyError", "TimeoutError", "shop.Missing"]
