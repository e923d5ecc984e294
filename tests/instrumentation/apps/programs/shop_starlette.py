"""A Starlette application that knows nothing of telemetry."""

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.routing import Route
from work import work


async def do_work(request):
    """Work, in the thread pool."""
    return JSONResponse(await run_in_threadpool(work))


async def leaf(request):
    """Be called."""
    return JSONResponse({})


async def broken(request):
    """Fail."""
    raise LookupError("nothing there")


app = Starlette(routes=[Route("/orders/{number:int}", do_work), Route("/leaf", leaf), Route("/broken", broken)])
