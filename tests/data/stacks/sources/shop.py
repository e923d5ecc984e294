"""Fails in many ways; prints a JSON object a failure: the group, how it was told, type, message, stacktrace.

Told as OpenTelemetry's ``record_exception`` tells: the qualified type, ``str()``, ``traceback.format_exception``.
"""

import asyncio
import json
import sqlite3
import sys
import traceback


class PaymentError(Exception):
    pass


class Stock:
    def __init__(self, items):
        self.items = items

    def take(self, name):
        return self.items[name]


def reserve(name):
    return Stock({}).take(name)


def restock_job(names):
    return [Stock({"tea": 1}).take(name) for name in names]


def charge(order):
    try:
        raise ConnectionError("terminal %d does not answer" % order)
    except ConnectionError as error:
        raise PaymentError("order %d was not paid" % order) from error


def charge_again(order):
    try:
        raise TimeoutError("no answer in %d ms" % (order * 100))
    except TimeoutError as error:
        raise PaymentError("order %d was not paid" % order) from error


def parse_quantity(text):
    return int(text)


def quantity_of(form):
    try:
        return form["quantity"]
    except KeyError:
        return parse_quantity(form["amount"])


def check_quantity(value):
    if not value:
        raise ValueError("must not be empty")


def check_address(value):
    if not value:
        raise ValueError("must not be empty")


def walk(tree):
    return visit(tree)


def visit(tree):
    return walk(tree)


def depth_of(tree):
    if not tree:
        raise LookupError("leaf %x is empty" % id(tree))
    return 1 + depth_of(tree[1:])


def query(sql):
    return sqlite3.connect(":memory:").execute(sql).fetchall()


def list_orders():
    return query("select * from orders")


def list_users():
    return query("select * from users")


def load_rates(text):
    return json.loads(text)


async def fetch_rate(seconds):
    await asyncio.wait_for(asyncio.sleep(9), seconds)


async def notify(number):
    raise PaymentError("mail %d was not sent" % number)


async def all_mails(count):
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(notify(number))


def plugin(source):
    exec(compile(source, "plugin.py", "exec"), {})


def callback(function, *args):
    """Let the event loop call something: no frame of ours."""
    told = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    loop.call_soon(function, *args)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    raise told[0].with_traceback(told[0].__traceback__)


def tell(group, how, function, *args):
    try:
        function(*args)
    except BaseException as error:
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__qualname__
        stack = "".join(traceback.format_exception(kind, error, error.__traceback__))
        print(json.dumps({"group": group, "how": how, "type": name, "message": str(error), "stacktrace": stack}))


def tell_only_callback(group, function, *args):
    """As an error handler of the event loop tells it: from the loop's frames on."""
    told = []
    loop = asyncio.new_event_loop()
    loop.set_exception_handler(lambda _, context: told.append(context["exception"]))
    loop.call_soon(function, *args)
    loop.call_soon(loop.stop)
    loop.run_forever()
    loop.close()
    error = told[0]
    stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    print(
        json.dumps(
            {
                "group": group,
                "how": "the event loop's handler",
                "type": type(error).__name__,
                "message": str(error),
                "stacktrace": stack,
            }
        )
    )


def main():
    tell("no such item", "span event", reserve, "tea")
    tell("no such item", "log record", Stock({}).take, "green tea")
    tell("no such item", "job", restock_job, ["tea", "mate"])
    tell("payment: no connection", "span event", charge, 7)
    tell("payment: no connection", "span event", charge, 90210)
    tell("payment: too late", "span event", charge_again, 7)
    tell("quantity is no number", "span event", parse_quantity, "many")
    tell("quantity is no number", "log record", parse_quantity, "7 boxes")
    tell("amount is no number", "span event", quantity_of, {"amount": "seven"})
    tell("no quantity", "span event", check_quantity, 0)
    tell("no address", "span event", check_address, "")
    tell("endless tree", "span event", walk, [])
    tell("endless tree", "job", visit, [])
    tell("empty leaf", "span event", depth_of, [])
    tell("empty leaf", "span event", depth_of, [1] * 20)
    tell("no table orders", "span event", list_orders)
    tell("no table users", "span event", list_users)
    tell("rates are no JSON", "span event", load_rates, "{")
    tell("rates are no JSON", "span event", load_rates, '{"a": 1,}')
    tell("rate in time", "span event", lambda: asyncio.run(fetch_rate(0.01)))
    if sys.version_info >= (3, 11):
        tell("mails", "span event", lambda: asyncio.run(all_mails(2)))
        tell("mails", "span event", lambda: asyncio.run(all_mails(5)))
    tell("plugin", "span event", plugin, "if x")
    tell_only_callback("callback: no float", float, "tea")
    tell_only_callback("callback: no float", float, "coffee")
    tell_only_callback("callback: no int", int, "tea")


main()
