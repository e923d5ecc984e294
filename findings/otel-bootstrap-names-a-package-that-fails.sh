#!/usr/bin/env bash
# OpenTelemetry's bootstrap installs an instrumentation for openai that can't be imported beside openai 3.
#
# Guess:    what `opentelemetry-bootstrap` names for an installed library instruments it.
# Instead:  for every openai from 1.26 on it names opentelemetry-instrumentation-openai-v2, which imports httpx. openai 3
#           no longer requires httpx, so that import fails and nothing of openai is seen. pip finds nothing wrong, for
#           httpx is in no requirement of the instrumentation. Its successor is in no list: ...-genai-openai.
# Versions: openai 3.57.0, opentelemetry-instrumentation 0.66b1, opentelemetry-instrumentation-openai-v2 2.4b0,
#           opentelemetry-instrumentation-genai-openai 1.3b0 (opentelemetry-util-genai 1.3b0).
# Matters:  whoever follows the documented way has no spans of model calls, and one traceback at start that names httpx.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check openai==3.57.0 opentelemetry-instrumentation==0.66b1 \
    opentelemetry-instrumentation-openai-v2==2.4b0 opentelemetry-instrumentation-genai-openai==1.3b0 \
    opentelemetry-util-genai==1.3b0

import() { venv/bin/python -c "from opentelemetry.instrumentation.$1 import OpenAIInstrumentor as I; I().instrument()" 2>&1 | tail -1; }

named=$(venv/bin/python -c '
from opentelemetry.instrumentation.bootstrap_gen import libraries
print(*(each["instrumentation"] for each in libraries if each["library"].startswith("openai")))')
conflicts=$(venv/bin/pip check --disable-pip-version-check)
echo "bootstrap names for openai: $named"
echo "pip check: $conflicts"
echo "openai_v2: $(import openai_v2)"
echo "genai.openai: $(import genai.openai)"
[ "$named" = opentelemetry-instrumentation-openai-v2 ] || { echo "named differently now"; exit 1; }
[ "$conflicts" = "No broken requirements found." ] || { echo "pip knows now"; exit 1; }
[ "$(import openai_v2)" = "ModuleNotFoundError: No module named 'httpx'" ] || { echo "imported now"; exit 1; }
[ -z "$(import genai.openai)" ] || { echo "the successor fails now"; exit 1; }
echo "As described."
