"""Exceptions that are really raised, and told by the real instrumentation: attributes of events and log records."""

# ruff: noqa: E501 - what is odd reads best as a table
from __future__ import annotations

import itertools
import json

from made_up import HOSTILE

from spanglass.exceptions.chain import ChainReader
from spanglass.exceptions.describing import brief, describe
from spanglass.exceptions.reading import NoScrubber
from spanglass.settings.table import Settings
from spanglass_core.attribute_names import EXCEPTION_CHAIN, EXCEPTION_HANDLED, EXCEPTION_OCCURRENCE_ID

READER = ChainReader(Settings(), NoScrubber(), itertools.count().__next__)
RATES = {"SEK": 11.2, "DKK": 7.46}


class CurrencyNotPricedError(Exception):
    """A price list lacks a currency."""


class Order:
    """What a customer wants."""

    def __init__(self, number, currency):
        self.number, self.currency, self.cents = number, currency, [1900] * 18


def convert(cents, currency, rates):
    """Fail inside of an expression, with letters of several bytes before it."""
    try:
        label, factor = "größe", rates[currency] * 100
    except KeyError as error:
        failure = CurrencyNotPricedError(f"no rate for {currency!r} in price list 2026-10")
        failure.add_note("The list is of 1 October.\nAsk pricing for a newer one.")
        raise failure from error
    return label, cents * factor


def total_for(order):
    """Call what fails from a line that is one of several of the same expression."""
    receipt = ["x" * 90] * 8
    return sum(
        convert(cents, order.currency, RATES)[1]
        for cents in order.cents
        if receipt
    )  # fmt: skip


def pay(order):
    """Raise while another exception is being handled, with a library between the two."""
    try:
        json.loads('{"card": }')
    except ValueError:
        return total_for(order)


def notify(order):
    """Raise a group, one of whose members is a group with a cause inside."""
    members = []
    for fail in (lambda: json.loads("[1, 2"), lambda: int("five"), lambda: pay(order)):
        try:
            fail()
        except Exception as error:  # noqa: BLE001 - collecting is what a group is for
            members.append(error)
    inner = ExceptionGroup("by post", members[1:])
    raise ExceptionGroup("3 receipts were not sent", [members[0], inner])


def deep(depth):
    """Raise from a recursion that is deeper than what is recorded."""
    return deep(depth - 1) if depth else 1 // depth


def caught(fail, *args):
    """Call, and return what it raises."""
    try:
        fail(*args)
    except Exception as error:  # noqa: BLE001 - whatever it is
        return error
    raise AssertionError


def told(error, occurrence, **more):
    """Return the attributes in full; ``handled`` as a log record has it."""
    return _with(describe(READER, error).attributes, occurrence, **more)


def mentioned(error, occurrence, **more):
    """Return the attributes of a later mention."""
    return _with(brief(READER, error).attributes, occurrence, **more)


def _with(attributes, occurrence, *, handled=None):
    own = {} if handled is None else {EXCEPTION_HANDLED: handled}
    return {**attributes, EXCEPTION_OCCURRENCE_ID: occurrence, **own}


ORDER = Order("o_88213", "NOK")
FAILED_PAYMENT = caught(pay, ORDER)
FAILED_NOTICE = caught(notify, ORDER)
TOO_DEEP = caught(deep, 200)

LONG = "y" * 1_000_000
_FRAME = {"file": HOSTILE, "path": HOSTILE, "function": HOSTILE, "module": HOSTILE, "in_app": True, "line": 3, "column": 2,
          "end_line": 3, "end_column": 9, "source": HOSTILE, "before": [HOSTILE] * 2, "after": [HOSTILE] * 2,
          "locals": {HOSTILE: HOSTILE, "__proto__": "x", "long": LONG}}  # fmt: skip
_ENTRY = {"type": "a.Error", "message": "m", "relation": "caught", "parent": None, "frames": []}

#: Texts that are chains in part: each must be shown as far as it goes.
ODD_CHAINS = {
    "hostile": [{**_ENTRY, "type": HOSTILE, "module": HOSTILE, "message": HOSTILE, "notes": [HOSTILE, 3, LONG], "frames": [_FRAME, {**_FRAME, "in_app": False}]}],
    "types": [{"type": "a.Error", "module": 4, "message": {"a": []}, "relation": [], "parent": "x", "notes": "no", "occurrence_id": 9, "left_out": -1,
               "frames": [None, 3, "x", [], {}, {"in_app": "yes", "line": "x", "column": -1, "before": [1], "after": {}, "source": 7, "locals": [1]}]}],
    "circle": [_ENTRY, {**_ENTRY, "relation": "cause", "parent": 1}, {**_ENTRY, "relation": "member", "parent": 99}, {**_ENTRY, "relation": "cause", "parent": -5}],
    "columns": [{**_ENTRY, "frames": [{**_FRAME, "source": "x = 1", "line": 10**15, "column": 10**9, "end_line": 10**14, "end_column": 1}]}],
    "many frames": [{**_ENTRY, "frames": [{**_FRAME, "locals": {}, "before": [], "after": []}, {"function": "f", "in_app": True, "line": 1}] * 2500}],
    "many exceptions": [_ENTRY] + [{**_ENTRY, "relation": "member", "parent": i} for i in range(2000)],
    "long texts": [{**_ENTRY, "message": LONG, "frames": [{**_FRAME, "source": LONG, "before": [LONG], "after": [], "locals": {}}]}],
}  # fmt: skip

#: Texts that are no chain, for which the text of the stack is shown.
NO_CHAINS = {
    "no JSON": "[{", "no list": "{}", "empty": "[]", "no objects": "[1]", "no type": '[{"message": "m"}]', "a number": 7, "a list": ["x"],
    "nested": "[" * 200_000, "too long": json.dumps([{**_ENTRY, "message": "z" * 5_000_000}]),
}  # fmt: skip


def odd(chain):
    """Return attributes with such a chain."""
    text = chain if not isinstance(chain, list) or chain == ["x"] else json.dumps(chain)
    stack = 'Traceback (most recent call last):\n  File "/app/shop/pay.py", line 3, in charge\n    go()\na.Error: m\n'
    return {"exception.type": "a.Error", "exception.message": "m", "exception.stacktrace": stack, EXCEPTION_CHAIN: text}
