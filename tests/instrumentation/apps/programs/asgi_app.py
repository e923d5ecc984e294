"""A FastAPI application that knows nothing of telemetry."""

import logging
import os

from fastapi import FastAPI

app = FastAPI()
logger = logging.getLogger("shop")


@app.get("/who")
async def who():
    """Answer with the process."""
    logger.warning("asked who I am")
    return {"pid": os.getpid()}
