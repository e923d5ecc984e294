"""A Flask application that knows nothing of telemetry."""

import logging
import os

from flask import Flask, jsonify

app = Flask(__name__)
logger = logging.getLogger("shop")


@app.get("/who")
def who():
    """Answer with the process."""
    logger.warning("asked who I am")
    return jsonify(pid=os.getpid())
