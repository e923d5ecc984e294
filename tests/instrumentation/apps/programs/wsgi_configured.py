"""The Flask application of ``wsgi_app``, which turns telemetry on itself."""
# ruff: noqa: E402

import spanglass

spanglass.configure()

from wsgi_app import app

__all__ = ["app"]
