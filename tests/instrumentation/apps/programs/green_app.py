"""A Flask application that asks over HTTPS; as a program it patches in its first line and serves by gevent."""

import os

if __name__ == "__main__":
    from gevent import monkey

    monkey.patch_all()

import logging
import ssl
import time
import urllib.request

import requests
from flask import Flask, jsonify

app = Flask(__name__)
logger = logging.getLogger("shop")


@app.get("/who")
def who():
    """Answer with the process, and with what two clients got."""
    logger.warning("asked who I am")
    url, certificate = os.environ["HTTPS_URL"], os.environ["CERTIFICATE"]
    context = ssl.create_default_context(cafile=certificate)
    with urllib.request.urlopen(url, context=context) as answer:
        codes = [requests.get(url, verify=certificate, timeout=60).status_code, answer.status]
    return jsonify(pid=os.getpid(), codes=codes, sleeps=time.sleep.__module__)


if __name__ == "__main__":
    from gevent.pywsgi import WSGIServer

    WSGIServer(("127.0.0.1", int(os.environ["PORT"])), app, log=None).serve_forever()
