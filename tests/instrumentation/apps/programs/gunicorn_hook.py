"""gunicorn's settings: telemetry is turned on in each worker, after it was forked."""


def post_fork(_server, _worker):
    """Turn telemetry on."""
    import spanglass

    spanglass.configure()
