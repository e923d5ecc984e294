#!/usr/bin/env bash
# Baggage between Python and everybody else: a space becomes a plus, and a plus becomes a space.
#
# Guess:    values of W3C baggage are percent-encoded, all SDKs encode and decode them alike, and what one service sets
#           the next one reads.
# Instead:  Python writes and reads them as HTML forms are: "Jane Doe" goes out as `Jane+Doe`, which Node.js and the
#           recommendation take literally; and a literal plus that comes in, which needs no encoding, is read as a
#           space. Python to Python and Node.js to Node.js are fine, so each side's own tests pass.
# Versions: opentelemetry-api 1.45.1 (Python), @opentelemetry/core 2.12.1.
# Needs:    Node.js 20.
# Matters:  baggage is copied to span attributes to group and filter by (tenant, user, plan). One tenant shows up as two
#           values by which language recorded it, and a plan "base+support" is "base support" in Python's spans.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-api==1.45.1
npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/core@2.12.1 > npm.log

cat > baggage.py <<'EOF'
import sys

from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator

what, text = sys.argv[1:]
if what == "write":
    carrier = {}
    W3CBaggagePropagator().inject(carrier, context=baggage.set_baggage("v", text))
    print(carrier["baggage"])
else:
    print(baggage.get_baggage("v", W3CBaggagePropagator().extract({"baggage": text})))
EOF
cat > baggage.js <<'EOF'
const { W3CBaggagePropagator } = require("@opentelemetry/core");
const { ROOT_CONTEXT, propagation, defaultTextMapGetter, defaultTextMapSetter } = require("@opentelemetry/api");
const [what, text] = process.argv.slice(2);
const propagator = new W3CBaggagePropagator();
if (what === "write") {
  const carrier = {};
  const context = propagation.setBaggage(ROOT_CONTEXT, propagation.createBaggage({ v: { value: text } }));
  propagator.inject(context, carrier, defaultTextMapSetter);
  console.log(carrier.baggage);
} else {
  const context = propagator.extract(ROOT_CONTEXT, { baggage: text }, defaultTextMapGetter);
  console.log(propagation.getBaggage(context).getEntry("v").value);
}
EOF
python() { venv/bin/python baggage.py "$@"; }
javascript() { node baggage.js "$@"; }

# pass VALUE FROM TO EXPECTED
pass() {
    local header value
    header=$("$2" write "$1")
    value=$("$3" read "$header")
    printf '  %-10s %-10s -> %-24s -> %-10s %s\n' "$1" "$2" "$header" "$3" "$value"
    [ "$value" = "$4" ] || { echo "passed on differently now"; exit 1; }
}

echo "opentelemetry-api $(venv/bin/pip show opentelemetry-api 2> /dev/null | sed -n 's/^Version: //p'), Node.js $(node --version)"
pass 'Jane Doe' python python 'Jane Doe'
pass 'Jane Doe' javascript javascript 'Jane Doe'
pass 'Jane Doe' python javascript 'Jane+Doe'
pass 'Jane Doe' javascript python 'Jane Doe'
plus=$(python read 'v=1+1')
printf '  a header "v=1+1" is read by Python as "%s", by Node.js as "%s"\n' "$plus" "$(javascript read 'v=1+1')"
[ "$plus" = '1 1' ] && [ "$(javascript read 'v=1+1')" = '1+1' ] || { echo "read differently now"; exit 1; }
echo "As described."
