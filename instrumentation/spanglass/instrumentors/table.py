"""What has to be known of single instrumentations: when to turn each on, with what, and what it can't see."""

from __future__ import annotations

#: The module whose import turns an instrumentation on. Without a row it is derived (``triggers.py``), and what
#: instruments no library is turned on at once.
TRIGGERS = {
    "aio-pika": "aio_pika",
    "aiobotocore": "aiobotocore.client",
    "aiohttp-client": "aiohttp",
    "aiohttp-server": "aiohttp.web",
    "aiokafka": "aiokafka",
    "aiopg": "aiopg",
    "asyncclick": "asyncclick",
    "asyncio": "asyncio",
    "asyncpg": "asyncpg",
    "boto3": "boto3",
    "botocore": "botocore.client",
    "cassandra": "cassandra.cluster",
    "celery": "celery",
    "click": "click",
    "confluent_kafka": "confluent_kafka",
    "django": "django.core.handlers.base",
    "falcon": "falcon",
    "falcon_asgi": "falcon.asgi.app",
    "fastapi": "fastapi",
    "flask": "flask",
    "grpc_aio_client": "grpc",
    "grpc_aio_server": "grpc",
    "grpc_client": "grpc",
    "grpc_server": "grpc",
    "httpx": "httpx",
    "httpx2": "httpx2",
    "jinja2": "jinja2",
    "kafka": "kafka",
    "litestar": "litestar.app",
    "mysql": "mysql.connector",
    "mysqlclient": "MySQLdb",
    "openai": "openai",
    "pika": "pika",
    "psycopg": "psycopg",
    "psycopg2": "psycopg2",
    "pymemcache": "pymemcache",
    "pymongo": "pymongo",
    "pymssql": "pymssql",
    "pymysql": "pymysql",
    "pyramid": "pyramid.config",
    "redis": "redis",
    "remoulade": "remoulade",
    "requests": "requests",
    "sqlalchemy": "sqlalchemy",
    "sqlite3": "sqlite3",
    "starlette": "starlette.applications",
    "structlog": "structlog",
    "tornado": "tornado.web",
    "tortoiseorm": "tortoise",
    "urllib": "urllib.request",
    "urllib3": "urllib3",
}

#: Instrumentations that stay off, for Spanglass does it itself.
REPLACED = {
    "exceptions": "Spanglass records what nobody caught, with frames and causes",
    "logging": "Spanglass exports the records of the standard library's logging",
    "structlog": "Spanglass exports the events of structlog",
    "system_metrics": "Spanglass measures process, host and interpreter",
}

#: Libraries that an instrumentation says it needs, and works without.
OPTIONAL_LIBRARIES = {"tortoiseorm": frozenset({"pydantic"})}

#: What an instrumentation replaces by name: whoever took the name before still has the original.
REPLACED_NAMES = {
    "aiohttp-server": ("aiohttp.web.Application",),
    "falcon": ("falcon.App", "falcon.API"),
    "mysql": ("mysql.connector.connect",),
    "mysqlclient": ("MySQLdb.connect",),
    "psycopg": ("psycopg.connect",),
    "psycopg2": ("psycopg2.connect",),
    "pymssql": ("pymssql.connect",),
    "pymysql": ("pymysql.connect",),
    "pyramid": ("pyramid.config.Configurator",),
    "sqlite3": ("sqlite3.connect",),
}

#: Drivers that SQLAlchemy opens connections with: where their ``connect`` is instrumented.
DRIVERS = {
    "mysql": ("mysql.connector:connect",),
    "mysqlclient": ("MySQLdb:connect",),
    "psycopg": ("psycopg:connect", "psycopg:Connection.connect", "psycopg:AsyncConnection.connect"),
    "psycopg2": ("psycopg2:connect",),
    "pymssql": ("pymssql:connect",),
    "pymysql": ("pymysql:connect",),
}
