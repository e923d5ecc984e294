#!/usr/bin/env bash
# Baggage in Python: the properties of a value become its end, and the next service gets them encoded.
#
# Guess:    `user.id=bob;ttl=5` is the value `bob` with a property, as the W3C recommendation has it;
#           two `baggage` headers are one list, as two `tracestate` headers are.
# Instead:  OpenTelemetry Python checks that the properties are well formed, and keeps them as part of the value:
#           `bob;ttl=5`. Sent on, the semicolon is encoded, so no service behind can tell them apart any more. Of two
#           headers the second is ignored.
# Versions: opentelemetry-api 1.45.1.
# Matters:  baggage is copied to attributes to group and filter by user or tenant. One user is two as soon as anything
#           on the way adds a property, or a header of its own.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-api==1.45.1

cat > try.py <<'EOF'
from importlib.metadata import version

from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context


def through(*headers):
    """Read headers, and write what was read: the values, and the header for the next service."""
    context = W3CBaggagePropagator().extract({"baggage": list(headers)}, Context())
    carrier = {}
    W3CBaggagePropagator().inject(carrier, context)
    print(f"  {headers} is {dict(baggage.get_all(context))}, sent on as {carrier.get('baggage')!r}")
    return dict(baggage.get_all(context)), carrier.get("baggage")


print("opentelemetry-api", version("opentelemetry-api"))
assert through("user.id=bob") == ({"user.id": "bob"}, "user.id=bob")
assert through("user.id=bob;ttl=5") == ({"user.id": "bob;ttl=5"}, "user.id=bob%3Bttl%3D5"), "is read in another way now"
assert through("user.id=bob", "tenant=acme") == ({"user.id": "bob"}, "user.id=bob"), "headers are joined now"
EOF
venv/bin/python try.py
echo "As described."
