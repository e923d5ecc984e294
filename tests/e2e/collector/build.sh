#!/usr/bin/env bash
# Build the OpenTelemetry Collector of builder.yaml once, and print where it is; --where only prints.
# Needs Go. The result is kept outside the tree, named by the digest of builder.yaml, so a changed file builds anew.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
version=$(sed -n 's/^  version: //p' "$here/builder.yaml")
digest=$(sha256sum "$here/builder.yaml" | cut -c1-12)
target=${XDG_CACHE_HOME:-$HOME/.cache}/spanglass-test/otelcol-$digest

if [ "${1:-}" != --where ] && [ ! -x "$target" ]; then
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    cp "$here/builder.yaml" "$work/"
    # Everything Go says goes to stderr: stdout carries the path alone.
    (cd "$work" && TMPDIR="$work" CGO_ENABLED=0 nice -n 10 go run "go.opentelemetry.io/collector/cmd/builder@v$version" \
        --config builder.yaml --ldflags "-s -w") >&2
    mkdir -p "$(dirname "$target")"
    # A rename on one file system is atomic: two builds at once both leave a whole file.
    cp "$work/build/otelcol" "$target.$$"
    mv "$target.$$" "$target"
fi
echo "$target"
