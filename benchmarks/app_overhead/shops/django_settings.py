"""Settings of the Django shop: DJANGO_SETTINGS_MODULE is this module."""

import os

ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "shop_django"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["APP_DATABASE"], "CONN_MAX_AGE": None}
}
