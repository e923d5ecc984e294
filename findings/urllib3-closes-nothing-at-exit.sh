#!/usr/bin/env bash
# requests and urllib3: a session that is closed in an exit handler leaves its connections open.
#
# Guess:    session.close() closes the session's connections, whenever it is called.
# Instead:  it clears the pools and leaves the connections to weakref.finalize. Those run by themselves when the
#           interpreter ends, in an exit handler that is registered with the first pool: so before every handler that was
#           registered earlier, and after it finalizers do nothing. What such a handler opens and closes stays open.
# Versions: requests 2.34.2, urllib3 2.8.0.
# Matters:  an exporter that sends the rest at exit registers its handler at the start, before the first request: it
#           always comes after urllib3's. With warnings as errors, or -X dev, every process that sends telemetry ends
#           with "unclosed socket". Closing each pool (pool.close()) closes them.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0

cat > exporter.py <<'EOF'
import atexit
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
session = requests.Session()


def at_the_end():
    session.get(f"http://127.0.0.1:{server.server_port}/")
    if "pools" in sys.argv:
        for adapter in session.adapters.values():
            for key in adapter.poolmanager.pools.keys():
                adapter.poolmanager.pools[key].close()
    session.close()
    server.server_close()


if "handler" in sys.argv:
    atexit.register(at_the_end)
session.get(f"http://127.0.0.1:{server.server_port}/")
if "handler" not in sys.argv:
    at_the_end()
EOF

cat > try.py <<'EOF'
import subprocess
import sys
from importlib.metadata import version


def unclosed(*words):
    """Count the connections that the program leaves open to its server; the server's own ends are not counted."""
    done = subprocess.run([sys.executable, "-X", "dev", "exporter.py", *words], capture_output=True, text=True, check=True)
    count = done.stderr.count("poolmanager.py")
    print(f"  closed {' and '.join(words) or 'before the end'}: {count} connection(s) left open")
    return count


print("requests", version("requests"), "with urllib3", version("urllib3"))
assert unclosed() == 0
assert unclosed("handler") == 1, "is closed now"
assert unclosed("handler", "pools") == 0
EOF
venv/bin/python try.py
echo "As described."
