"""Hides private names of OpenTelemetry from Spanglass alone, as a release that has renamed them would.

The SDK goes on with them. Run as a program it has an application do everything once, for each feature without the names
that it needs, then without all of them, and with all.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import time
import traceback
from importlib import import_module
from operator import attrgetter
from types import ModuleType

from opentelemetry import trace

OURS = "spanglass"
# What every child would import for itself, none of it ours: a quarter of a second of a core each.
PRELOADED = (
    "requests",
    "wrapt",
    "opentelemetry.propagate",
    "opentelemetry.sdk._configuration",
    "opentelemetry.sdk._logs.export",
    "opentelemetry.sdk.trace.export",
    "opentelemetry.exporter.otlp.proto.common.metrics_encoder",
    "opentelemetry.exporter.otlp.proto.common.trace_encoder",
    "opentelemetry.exporter.otlp.proto.common._log_encoder",
    "opentelemetry.proto.collector.logs.v1.logs_service_pb2",
    "opentelemetry.proto.collector.metrics.v1.metrics_service_pb2",
    "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
)


def is_asked_by_us(depth: int = 2) -> bool:
    """Return whether the code that reads an attribute is ours."""
    return sys._getframe(depth).f_globals.get("__name__", "").startswith(OURS)


class HidingModule(ModuleType):
    """A module of which some names are gone for us."""

    def __getattribute__(self, name):
        """Return what the module has, unless we ask for what is hidden."""
        if name in object.__getattribute__(self, "__dict__").get("__hidden__", ()) and is_asked_by_us():
            raise AttributeError(f"{name} is gone")
        return super().__getattribute__(name)


class Hidden:
    """An attribute of a class or of its instances that is gone for us."""

    def __init__(self, name, original):
        self.name, self.original = name, original

    def __get__(self, instance, owner):
        """Return what the SDK put there."""
        if is_asked_by_us():
            raise AttributeError(f"{self.name} is gone")
        if instance is not None and self.name in vars(instance):
            return vars(instance)[self.name]
        if self.original is None:
            raise AttributeError(self.name)
        return self.original.__get__(instance, owner) if hasattr(self.original, "__get__") else self.original

    def __set__(self, instance, value):
        """Keep it where instances keep their attributes."""
        vars(instance)[self.name] = value


def hide(name, samples):
    """Hide the last private part of one of the names in ``features``."""
    owner, path = name.split(":")
    parts = path.split(".")
    last = max(number for number, part in enumerate(parts) if part.startswith("_") or number == len(parts) - 1)
    root = samples[owner] if owner in samples else import_module(owner)
    holder = attrgetter(".".join(parts[:last]))(root) if last else root
    if isinstance(holder, ModuleType):
        holder.__class__ = HidingModule
        vars(holder).setdefault("__hidden__", set()).add(parts[last])
    else:
        kind = holder if isinstance(holder, type) else type(holder)
        homes = [each for each in kind.__mro__ if parts[last] in vars(each)]  # none: instances have it, of all these
        for home in homes[:1] or [each for each in kind.__mro__ if each.__module__.startswith("opentelemetry.")]:
            setattr(home, parts[last], Hidden(parts[last], vars(home).get(parts[last])))


class Lines(logging.Handler):
    """Keeps what our logger says."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        """Keep a line."""
        self.lines.append(record.getMessage())


def application(lines):
    """Do everything once, and give what came of it."""
    import spanglass
    from spanglass import testing
    from spanglass.process import forking
    from spanglass.sdk.private import features
    from spanglass.sdk.private.metrics import pause_readers
    from spanglass.start import setup

    on = spanglass.configure(service_name="shop", instrument=False, slow_query="1us")
    tracer = trace.get_tracer("driver")
    with spanglass.span("work", amount=3) as span:
        span.otel.add_event("half done")
        with tracer.start_as_current_span(
            "SELECT", kind=trace.SpanKind.CLIENT, attributes={"db.system.name": "sqlite"}
        ):
            time.sleep(0.001)
        spanglass.info("hello")
        try:
            raise ValueError("no luck")
        except ValueError:
            logging.getLogger("shop").exception("failed")
        spanglass.counter("orders").add(1)
    with testing.capture(clock=testing.FakeClock()) as captured, spanglass.span("test"):
        spanglass.info("test")
    pause_readers(setup.running().providers.meter)()
    flushed = spanglass.force_flush()
    sent = {name: counts.sent for name, counts in setup.running().pipelines.counts.snapshot().items()}
    forking.begin_anew()
    spanglass.shutdown()
    again = spanglass.configure(service_name="shop", instrument=False)
    unbound = setup.running().providers.tracer is not trace.get_tracer_provider()
    missing = [name for name, _ in features.missing()]
    spanglass.shutdown()
    return {"on": on, "flushed": flushed, "sent": sent, "again": again, "unbound": unbound, "missing": missing,
            "captured": [len(captured.spans), len(captured.logs)], "lines": lines}  # fmt: skip


def main():
    """Hide the names of each feature in a process of its own, and print a line of JSON for each."""
    from spanglass.sdk.private import features

    for name in PRELOADED:
        import_module(name)
    samples = features._samples()
    every = tuple(name for feature in features.FEATURES for name in feature.names)
    lists = [feature.names for feature in features.FEATURES] + [every, ()]
    for names in lists:
        child = os.fork()
        if child == 0:
            handler = Lines()
            logging.getLogger("spanglass").addHandler(handler)
            for name in dict.fromkeys(names):
                hide(name, samples)
            try:
                done = application(handler.lines)
            except BaseException:
                done = {"error": traceback.format_exc(), "lines": handler.lines}
            print(json.dumps(done), flush=True)
            os._exit(0)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
