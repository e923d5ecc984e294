#!/usr/bin/env bash
# The ratio sampler of OpenTelemetry for Node.js keeps other traces than those of Python and Go, at the same ratio.
#
# Guess:    TraceIdRatioBased decides from the trace id so that services with one ratio keep the same traces without
#           asking one another; that is what it is for.
# Instead:  Python and Go take the last eight bytes of the id and agree on every trace. Node.js mixes the four words of
#           the id by exclusive or, and so decides independently: at 10 %, each keeps a tenth, but only 1 % of the
#           traces is kept by both.
# Versions: opentelemetry-sdk 1.45.1 (Python), go.opentelemetry.io/otel/sdk 1.47.0, @opentelemetry/sdk-trace-base
#           2.12.1.
# Needs:    Node.js 20, Go 1.26.
# Matters:  with OTEL_TRACES_SAMPLER=traceidratio in every service, nine of ten traces that pass from Node.js to Python
#           have a hole, and "missing spans" look like a loss in transport. Use parentbased_traceidratio; a backend that
#           scales counts up must not assume that services with equal ratios saw the same traces.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1
npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/sdk-trace-base@2.12.1 > npm.log

venv/bin/python -c '
import random
rng = random.Random(7)
for _ in range(20_000):
    print(rng.randbytes(16).hex())' > ids

cat > node.js <<'EOF'
const { TraceIdRatioBasedSampler, SamplingDecision } = require("@opentelemetry/sdk-trace-base");
const sampler = new TraceIdRatioBasedSampler(0.1);
for (const id of require("fs").readFileSync("ids", "utf8").split("\n").filter(Boolean))
  if (sampler.shouldSample({}, id).decision === SamplingDecision.RECORD_AND_SAMPLED) console.log(id);
EOF
node node.js > kept-by-node

mkdir sample
cd sample
cat > go.mod <<'EOF'
module finding

go 1.25

require (
	go.opentelemetry.io/otel/sdk v1.47.0
	go.opentelemetry.io/otel/trace v1.47.0
)
EOF
cat > main.go <<'EOF'
package main

import (
	"bufio"
	"fmt"
	"os"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

func main() {
	sampler := sdk.TraceIDRatioBased(0.1)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		id, err := trace.TraceIDFromHex(lines.Text())
		if err != nil {
			panic(err)
		}
		if sampler.ShouldSample(sdk.SamplingParameters{TraceID: id}).Decision == sdk.RecordAndSample {
			fmt.Println(lines.Text())
		}
	}
}
EOF
GOFLAGS=-mod=mod go mod tidy > tidy.log 2>&1
go build -o sample .
./sample < ../ids > ../kept-by-go
cd ..

cat > compare.py <<'EOF'
from importlib.metadata import version
from itertools import combinations

from opentelemetry.sdk.trace.sampling import Decision, TraceIdRatioBased


def lines(path):
    with open(path) as file:
        return file.read().split()


ids, sampler = lines("ids"), TraceIdRatioBased(0.1)
kept = {
    "Python": {id for id in ids if sampler.should_sample(None, int(id, 16), "").decision is Decision.RECORD_AND_SAMPLE},
    "Go": set(lines("kept-by-go")),
    "Node.js": set(lines("kept-by-node")),
}
print(f"opentelemetry-sdk {version('opentelemetry-sdk')} and the others; {len(ids)} trace ids, ratio 0.1")
for name, chosen in kept.items():
    print(f"  {name:8} keeps {len(chosen)}")
    assert 1800 < len(chosen) < 2200
for one, other in combinations(kept, 2):
    print(f"  {one} and {other} both keep {len(kept[one] & kept[other])}")
assert kept["Python"] == kept["Go"], "Python and Go disagree now"
assert len(kept["Python"] & kept["Node.js"]) < 300, "Node.js agrees now"
EOF
venv/bin/python compare.py
echo "As described."
