"""The shop as a Django application, its settings in ``django_settings``; queries go by its own connection."""

import sys

import telemetry  # noqa: F401 - first of all
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse
from django.urls import path
from products import Product, cart, export, told


def _product(number: int) -> Product:
    from django.db import connection  # noqa: PLC0415 - after the settings

    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name, price FROM product WHERE id = %s", (number,))
        return cursor.fetchone()


def product(_request: HttpRequest, number: int) -> JsonResponse:
    """Return one product."""
    return JsonResponse(told(_product(number)))


def products_of_a_cart(_request: HttpRequest, number: int) -> JsonResponse:
    """Return ten products."""
    return JsonResponse(cart(_product, number))


def exported(_request: HttpRequest, number: int) -> StreamingHttpResponse:
    """Return one product in parts."""
    return StreamingHttpResponse(export(_product, number), content_type="text/plain")


def modules(_request: HttpRequest) -> JsonResponse:
    """Say how many modules are loaded."""
    return JsonResponse({"count": len(sys.modules)})


urlpatterns = [
    path("products/<int:number>", product),
    path("carts/<int:number>", products_of_a_cart),
    path("exports/<int:number>", exported),
    path("modules", modules),
]
app = get_wsgi_application()
