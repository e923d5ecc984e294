"""The Flask application of ``wsgi_app``, with hooks of its own for workers that uWSGI forks."""

import uwsgi
from uwsgidecorators import postfork
from wsgi_app import app

hooked = []


@postfork
def decorated():
    """Note that the worker has begun."""
    hooked.append("decorated")


chain = uwsgi.post_fork_hook


def direct():
    """Note it, too, in the place of the other hook, which is called from here."""
    hooked.append("direct")
    chain()


uwsgi.post_fork_hook = direct


@app.get("/hooked")
def tell():
    """Answer with what was noted in this worker."""
    return hooked
