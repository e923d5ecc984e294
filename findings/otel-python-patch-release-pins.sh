#!/usr/bin/env bash
# OpenTelemetry Python: a patch release of the stable SDK excludes the instrumentations of the release before.
#
# Guess:    opentelemetry-sdk 1.45.2 goes wherever 1.45.1 went: same minor version, stable package, semantic versioning.
# Instead:  SDK and instrumentations pin opentelemetry-semantic-conventions, a beta, to one exact release each, and a
#           patch of the SDK moves its pin. 1.45.2 and opentelemetry-instrumentation 0.66b1 exclude one another. Where
#           both sides are installed already, upgrading the SDK alone ends with exit status 0 and a broken environment
#           that only `pip check` reports.
# Versions: opentelemetry-sdk 1.45.1 and 1.45.2, opentelemetry-instrumentation 0.66b1, pip 26.0.
# Matters:  a package for applications that pins the SDK, or a "security patches only" rule in a lock file, makes the
#           instrumentations uninstallable until all of them are released anew. Ranges are needed, and a test that
#           resolves both together.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pip==26.0
pip=(venv/bin/pip --disable-pip-version-check)
"${pip[@]}" --version | cut -d' ' -f1,2

echo "1. The SDK's patch release with the instrumentations:"
if "${pip[@]}" install --dry-run opentelemetry-sdk==1.45.2 opentelemetry-instrumentation==0.66b1 > resolve.log 2>&1; then
    echo "They can be installed together now." && exit 1
fi
grep -E "depends on opentelemetry-semantic-conventions|ResolutionImpossible" resolve.log
grep -q "opentelemetry-sdk 1.45.2 depends on opentelemetry-semantic-conventions==0.66b2" resolve.log
grep -q "opentelemetry-instrumentation 0.66b1 depends on opentelemetry-semantic-conventions==0.66b1" resolve.log

echo "2. The release before it, with the same instrumentations:"
"${pip[@]}" install --quiet opentelemetry-sdk==1.45.1 opentelemetry-instrumentation==0.66b1
"${pip[@]}" check

echo "3. Upgrading the SDK there:"
"${pip[@]}" install opentelemetry-sdk==1.45.2 > upgrade.log 2>&1
grep "which is incompatible" upgrade.log
echo "exit status 0"
if "${pip[@]}" check; then
    echo "The environment is whole now." && exit 1
fi
echo "As described."
