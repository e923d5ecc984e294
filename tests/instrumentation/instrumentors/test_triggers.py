"""What an instrumentation waits for where no table names it: its libraries, as its distribution says."""

from __future__ import annotations

from importlib.metadata import EntryPoint, distribution

import pytest

from spanglass.instrumentors import triggers
from spanglass.instrumentors.triggers import Awaited, awaited, modules_of

GOOD = """
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor
import {library}

class Instrumentor(BaseInstrumentor):
    def instrumentation_dependencies(self):
        return ()
    def _instrument(self, **kwargs):
        {library}.seen = True
    def _uninstrument(self, **kwargs):
        pass
"""
SHOP_LIB = ["shop-lib>=1; extra == 'instruments'"]


def test_an_empty_program_imports_nothing_for_a_library_that_it_does_not_use(script, distribution):
    """Without a row in the table, an instrumentation waits for its library; one of a missing library never loads."""
    distribution("shop-lib", code="")
    distribution("telemetry-shop", entry="shop", code=GOOD.format(library="shop_lib"), requires=SHOP_LIB)
    distribution("telemetry-gone", entry="gone", code="1 / 0", requires=["gone-lib; extra == 'instruments'"])

    result = script("""
        install()
        before = [name in sys.modules for name in ("telemetry_shop", "shop_lib", "telemetry_gone")]
        was = [states()[name].state for name in ("shop", "gone")]
        import shop_lib
        give([before, was, states()["shop"].state, shop_lib.seen, states()["gone"].reason])
    """)

    assert result == [[False] * 3, ["ready", "library-missing"], "active", True, "gone-lib is not installed"]


def test_a_library_that_was_imported_before(script, distribution):
    """It is instrumented at once."""
    distribution("shop-lib", code="")
    distribution("telemetry-shop", entry="shop", code=GOOD.format(library="shop_lib"), requires=SHOP_LIB)

    result = script("""
        import shop_lib
        install()
        give([states()["shop"].state, shop_lib.seen])
    """)

    assert result == ["active", True]


def test_one_of_several_libraries(script, distribution):
    """Of alternatives the one that is imported counts; of those that are all needed, the last one."""
    for name in ("either-lib", "or-lib", "both-lib", "and-lib"):
        distribution(name, code="")
    any_of = [f"{name}; extra == 'instruments-any'" for name in ("either-lib", "or-lib", "absent-lib")]
    each = [f"{name}; extra == 'instruments'" for name in ("both-lib", "and-lib")]
    distribution("telemetry-any", entry="anyof", code=GOOD.format(library="or_lib"), requires=any_of)
    distribution("telemetry-each", entry="eachof", code=GOOD.format(library="both_lib"), requires=each)

    result = script("""
        install()
        def now():
            return [states()[name].state for name in ("anyof", "eachof")]
        found = [now()]
        import both_lib
        found.append(now())
        import or_lib, and_lib
        give([*found, now()])
    """)

    assert result == [["ready", "ready"], ["ready", "ready"], ["active", "active"]]


def test_two_of_one_name(script, distribution):
    """OpenTelemetry's instrumentation of today is taken before its predecessor and those of other vendors."""
    distribution("shop-lib", code="")
    distribution("aaa-telemetry", entry="shop", code="1 / 0", requires=SHOP_LIB)
    distribution("zzz-telemetry", entry="shop", code=GOOD.format(library="shop_lib"), requires=SHOP_LIB)

    result = script("""
        from spanglass.instrumentors import discovery
        discovery._PREFERRED = "zzz_"
        install()
        import shop_lib
        give([states()["shop"].state, states()["shop"].package])
    """)

    assert result == ["active", "zzz-telemetry"]


@pytest.mark.parametrize(
    ("name", "modules"),
    [("requests", ("requests",)), ("opentelemetry-api", ("opentelemetry.",)), ("absent-lib", None), ("six", ("six",))],
)
def test_modules_of_a_distribution(name, modules):
    """Packages and modules as they are imported, below a namespace too; none of a distribution that is not there."""
    try:
        distribution(name)
    except ImportError:
        modules = None
    found = modules_of(name)

    assert (found is None) == (modules is None)
    if modules and modules[0].endswith("."):
        assert found
        assert all(each.startswith(modules) for each in found)
    elif modules:
        assert found == modules


def test_what_cannot_be_read_is_turned_on_at_once(monkeypatch):
    """Metadata that is broken is no reason to wait; it is reported when the instrumentation is turned on."""
    monkeypatch.setattr(triggers, "named_libraries", lambda _entry: 1 / 0)

    assert awaited(EntryPoint("odd", "odd:Instrumentor", "opentelemetry_instrumentor")) == Awaited()
