"""A Django application that knows nothing of telemetry, for WSGI (``wsgi``) and ASGI (``asgi``) servers."""

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.http import JsonResponse
from django.urls import path
from work import work


def do_work(request, number):
    """Work."""
    return JsonResponse(work())


def leaf(request):
    """Be called."""
    return JsonResponse({})


def broken(request):
    """Fail."""
    raise LookupError("nothing there")


urlpatterns = [path("orders/<int:number>", do_work), path("leaf", leaf), path("broken", broken)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="for tests", MIDDLEWARE=[])
django.setup()
wsgi = get_wsgi_application()
asgi = get_asgi_application()
