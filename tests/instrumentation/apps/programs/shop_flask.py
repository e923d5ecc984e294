"""A Flask application that knows nothing of telemetry."""

from flask import Flask
from work import work

app = Flask(__name__)


@app.get("/orders/<int:number>")
def do_work(number: int):
    """Work."""
    return work()


@app.get("/leaf")
def leaf():
    """Be called."""
    return {}


@app.get("/broken")
def broken():
    """Fail."""
    raise LookupError("nothing there")
