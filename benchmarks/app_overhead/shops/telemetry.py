"""Telemetry that is turned on from code, as its documentation says: before anything else. APP_SETUP names whose."""

import os

_SETUP = os.environ.get("APP_SETUP", "")
if _SETUP == "spanglass":
    import spanglass

    spanglass.configure(service_name="shop")
elif _SETUP == "sentry":
    import sentry_sdk

    sentry_sdk.init(dsn=os.environ["SENTRY_DSN"], traces_sample_rate=1.0, enable_logs=True)
