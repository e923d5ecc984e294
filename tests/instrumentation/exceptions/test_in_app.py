import json
import sysconfig
from pathlib import Path

import pytest

from spanglass.exceptions import in_app
from spanglass.exceptions.in_app import in_app_rule, is_telemetry

SITE = f"{sysconfig.get_paths()['purelib']}/shop/pay.py"


@pytest.mark.parametrize(
    ("module", "file", "own"),
    [
        ("shop.pay", "/srv/shop/pay.py", True),
        ("__main__", "/srv/run.py", True),
        ("__main__", "<string>", True),
        ("importlib._bootstrap", "<frozen importlib._bootstrap>", False),
        ("shop.model", "<attrs generated init shop.model>", False),
        ("json.decoder", json.decoder.__file__, False),
        ("starlette.routing", SITE, False),
        ("redis", "/usr/lib/python3/dist-packages/redis/__init__.py", False),
        ("__main__", f"{sysconfig.get_paths()['scripts']}/gunicorn", False),
        ("spanglass.guard", str(Path(in_app.__file__)), False),
        ("opentelemetry.trace", "/srv/opentelemetry/trace.py", False),
    ],
)
def test_libraries_are_not_the_application(module, file, own):
    """Where a file lies decides: packages, the standard library and generated code are not the application's."""
    assert in_app_rule((), ())(module, file) is own


def test_settings_come_first():
    """A package named in in_app_include is the application's wherever it lies, one in in_app_exclude is not."""
    rule = in_app_rule(("shop",), ("vendored", "shop.generated"))

    assert rule("shop.pay", SITE)
    assert not rule("shopping", SITE)
    assert not rule("vendored.lib", "/srv/vendored/lib.py")
    assert rule("vendored_not", "/srv/vendored_not.py")


def test_telemetry_is_known_by_its_package():
    """A package that only begins alike is none of ours."""
    assert is_telemetry("opentelemetry.trace")
    assert is_telemetry("spanglass")
    assert not is_telemetry("opentelemetry_demo.shop")
    assert not is_telemetry("spanglass_server.process.app")
