#!/usr/bin/env bash
# Starlette: behind `BaseHTTPMiddleware`, a response whose body breaks off looks complete to the client.
#
# Guess:    a body that raises ends the connection, so that the client sees an incomplete response and can try again.
#           A middleware that only passes the request on changes nothing of that.
# Instead:  without a middleware it is so. With `BaseHTTPMiddleware`, or @app.middleware("http") of FastAPI and
#           Starlette, what was made so far is sent with a regular end, and the exception is raised behind it: the
#           client has a response of status 200 that is whole as far as HTTP can tell.
# Versions: starlette 1.10.0, uvicorn 0.54.0.
# Matters:  exports and server-sent events are cut without anybody's notice. An instrumentation that ends its span with
#           the last byte has ended it before the exception is there, and reports a success.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check uvicorn==0.54.0 starlette==1.10.0

cat > try.py <<'EOF'
import http.client
import threading
import time
from importlib.metadata import version

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import StreamingResponse
from starlette.routing import Route


def rows():
    """Give a part of an export, and break off."""
    yield b"1,tea\n"
    raise RuntimeError("the database has gone")


async def export(_):
    return StreamingResponse(rows())


async def passing(request, call_next):
    return await call_next(request)


def ask(middleware):
    """Serve with these middlewares, and ask once: what a client makes of the response."""
    app = Starlette(routes=[Route("/", export)], middleware=middleware)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    connection = http.client.HTTPConnection(*server.servers[0].sockets[0].getsockname())
    connection.request("GET", "/")
    response = connection.getresponse()
    try:
        return response.status, response.read(), "complete"
    except http.client.IncompleteRead as error:
        return response.status, error.partial, "incomplete"
    finally:
        connection.close()
        server.should_exit = True
        thread.join()


print("starlette", version("starlette"), "with uvicorn", version("uvicorn"))
without, behind = ask([]), ask([Middleware(BaseHTTPMiddleware, dispatch=passing)])
print("  without middleware:", without)
print("  behind BaseHTTPMiddleware:", behind)
assert without == (200, b"1,tea\n", "incomplete"), "answers otherwise now"
assert behind == (200, b"1,tea\n", "complete"), "answers otherwise now"
EOF
venv/bin/python try.py
echo "As described."
