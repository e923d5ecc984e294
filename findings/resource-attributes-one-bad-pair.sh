#!/usr/bin/env bash
# OTEL_RESOURCE_ATTRIBUTES: one value with `=` or `%`, and Node.js sends none of them where Python sends all.
#
# Guess:    all SDKs read the variable alike, and a pair that can't be read is left out by itself.
# Instead:  Python takes `token=YWJj=` and `load=100%` as they stand. The Node.js SDK drops every pair of the variable
#           for one such value, and falls back to no attributes at all, with nothing on stderr.
# Versions: opentelemetry-sdk 1.45.1 (Python), @opentelemetry/resources 2.12.1.
# Needs:    Node.js 20.
# Matters:  platforms inject the variable into every container, base64 values and percent signs included. Services in
#           one language keep their environment, version and cluster, those in the other lose all of them at once; the
#           backend sees a service "without environment".
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check opentelemetry-sdk==1.45.1
npm install --silent --no-audit --no-fund --no-save @opentelemetry/api@1.9.1 @opentelemetry/resources@2.12.1 > npm.log

cat > read.py <<'EOF'
import json

from opentelemetry.sdk.resources import OTELResourceDetector

print(json.dumps(dict(OTELResourceDetector().detect().attributes)))
EOF
cat > read.js <<'EOF'
const { envDetector } = require("@opentelemetry/resources");
console.log(JSON.stringify(envDetector.detect().attributes));
EOF

# show VALUE EXPECTED_OF_PYTHON EXPECTED_OF_NODE
show() {
    local python node
    python=$(OTEL_RESOURCE_ATTRIBUTES=$1 venv/bin/python read.py)
    node=$(OTEL_RESOURCE_ATTRIBUTES=$1 node read.js 2> node.err)
    printf '  %s\n      Python   %s\n      Node.js  %s, on stderr: %s\n' "$1" "$python" "$node" "$(cat node.err)"
    [ "$python" = "$2" ] || { echo "Python reads it differently now"; exit 1; }
    [ "$node" = "$3" ] || { echo "Node.js reads it differently now"; exit 1; }
}

echo "opentelemetry-sdk $(venv/bin/pip show opentelemetry-sdk 2> /dev/null | sed -n 's/^Version: //p'), Node.js $(node --version)"
show 'env=prod,team=a%20b' '{"env": "prod", "team": "a b"}' '{"env":"prod","team":"a b"}'
show 'env=prod,token=YWJj=' '{"env": "prod", "token": "YWJj="}' '{}'
show 'env=prod,load=100%' '{"env": "prod", "load": "100%"}' '{}'
echo "As described."
