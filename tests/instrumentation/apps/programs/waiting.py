"""Log a line, then wait for a signal; listens so that somebody can tell that it has begun."""

import logging
import os
from http.server import BaseHTTPRequestHandler, HTTPServer


class Handler(BaseHTTPRequestHandler):
    """Answers null."""

    def do_GET(self) -> None:
        """Log and answer."""
        logging.getLogger("work").error("before the end")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"null")


HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
