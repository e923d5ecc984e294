"""A Starlette application that turns telemetry on where PLACE says: module, lifespan, script, or not at all."""

import contextlib
import logging
import os

from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

logger = logging.getLogger("shop")


def configure(place: str) -> None:
    """Turn telemetry on, if this is the place."""
    if os.environ.get("PLACE") == place:
        import spanglass

        spanglass.configure()


configure("module")


async def who(_):
    """Answer with the process."""
    logger.warning("asked who I am")
    return JSONResponse({"pid": os.getpid()})


@contextlib.asynccontextmanager
async def lifespan(_):
    """Log the end, too."""
    configure("lifespan")
    yield
    logger.warning("at the end")


app = Starlette(routes=[Route("/who", who)], lifespan=lifespan)

if __name__ == "__main__":
    import uvicorn

    configure("script")
    uvicorn.run(app, port=int(os.environ["PORT"]))
