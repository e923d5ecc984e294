"""The keys of a check: the one place that says how each is written."""

from __future__ import annotations

from functools import partial
from typing import Final

from spanglass_server.forms.kinds import Address, Choice, Duration, Flag, Many, Number, Text, Texts, Uid, Zone
from spanglass_server.forms.listed import Listed
from spanglass_server.forms.names import with_uid, without_uid
from spanglass_server.forms.secrets import SecretKind
from spanglass_server.forms.shapes import Shape
from spanglass_server.health.check import Check, Command, Dns, Heartbeat, Http, Redis, Sql, Tcp, Tls
from spanglass_server.health.form import checks, shorter
from spanglass_server.health.form.kinds import HostPort, Maybe, TextOrSecret, Times, Url
from spanglass_server.health.model import AREAS

_SECOND_NS: Final = 10**9
_TLS_PORT, _REDIS_PORT, _DNS_PORT = 443, 6379, 53

_NAMED: Final = Text(may_be_empty=False)
_CA_FILE: Final = Text(r"/.*", "give the absolute path of a file of certificates in PEM")
_LIMIT: Final = Duration(may_be_off=True, none="0s")
_DURATION: Final = Duration(_SECOND_NS, may_be_off=True, none="0s")
_HEADER: Final = r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}"
_VARIABLE: Final = r"[A-Za-z_][A-Za-z0-9_]{0,99}"
_METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
RECORDS: Final = ("A", "AAAA", "CNAME", "MX", "NS", "TXT", "SRV", "CAA", "PTR", "SOA")

_HTTP: Final = Shape(
    Http,
    {
        "url": Url("https", "http"),
        "method": Choice(*_METHODS),
        "headers": Texts(TextOrSecret(), _HEADER, "such as Accept"),
        "body": Text(),
        "user": Text(),
        "password": SecretKind(),
        "status": Many(Text(r"[1-5]xx|[1-5]\d\d(-[1-5]\d\d)?", "write 200, 2xx or 200-204"), most=20, alone=True),
        "contains": Text(),
        "lacks": Text(),
        "json": Texts(Text()),
        "slower_than": _LIMIT,
        "follow_redirects": Flag(),
        "redirects_to": Text(),
        "verify": Flag(),
        "ca_file": _CA_FILE,
    },
    unfold=shorter.by("url"),
    fold=shorter.alone("url"),
    check=checks.check_http,
)
_TCP: Final = Shape(
    Tcp,
    {"address": HostPort(), "send": Text(), "expect": Text(), "slower_than": _LIMIT},
    unfold=shorter.by("address"),
    fold=shorter.alone("address"),
)
_TLS: Final = Shape(
    Tls,
    {
        "address": HostPort(port=_TLS_PORT),
        "server_name": Text(),
        "warning": _LIMIT,
        "critical": _LIMIT,
        "verify": Flag(),
        "ca_file": _CA_FILE,
    },
    unfold=shorter.by("address"),
    fold=shorter.alone("address"),
    check=checks.check_tls,
)
_DNS: Final = Shape(
    Dns,
    {
        "name": _NAMED,
        "record": Choice(*RECORDS),
        "server": HostPort(may_be_empty=True, port=_DNS_PORT),
        "expect": Many(_NAMED, most=50, alone=True),
        "slower_than": _LIMIT,
    },
    unfold=shorter.by("name"),
    fold=shorter.alone("name"),
)
_HEARTBEAT: Final = Shape(
    Heartbeat,
    {"every": _DURATION, "cron": Times(), "time_zone": Zone(), "grace": _DURATION, "longest": _DURATION},
    unfold=shorter.by("every"),
    fold=shorter.alone("every"),
    check=checks.check_heartbeat,
)
_SQL: Final = Shape(
    Sql,
    {
        "url": Url("postgresql", "postgres", "mysql"),
        "password": SecretKind(),
        "query": _NAMED,
        "expect": Text(),
        "slower_than": _LIMIT,
    },
    unfold=shorter.by("url"),
    fold=shorter.alone("url"),
)
_REDIS: Final = Shape(
    Redis,
    {
        "address": HostPort(port=_REDIS_PORT),
        "user": Text(),
        "password": SecretKind(),
        "tls": Flag(),
        "ca_file": _CA_FILE,
        "role": Choice("master", "slave", may_be_empty=True),
        "slower_than": _LIMIT,
    },
    unfold=shorter.by("address"),
    fold=shorter.alone("address"),
)
_COMMAND: Final = Shape(
    Command,
    {
        "command": Many(_NAMED, most=100, alone=True),
        "degraded": Many(Number(1, 255, whole=True), most=20, alone=True),
        "environment": Texts(TextOrSecret(), _VARIABLE, "such as PGHOST"),
        "directory": Text(),
    },
    unfold=shorter.by("command"),
    fold=shorter.alone("command"),
    check=checks.check_command,
)

CHECK: Final = Shape(
    Check,
    {
        "name": _NAMED,
        "uid": Uid("check"),
        "http": Maybe(_HTTP),
        "tcp": Maybe(_TCP),
        "tls": Maybe(_TLS),
        "dns": Maybe(_DNS),
        "heartbeat": Maybe(_HEARTBEAT),
        "sql": Maybe(_SQL),
        "redis": Maybe(_REDIS),
        "command": Maybe(_COMMAND),
        "interval": _DURATION,
        "timeout": _LIMIT,
        "failures": Number(1, 100, whole=True),
        "successes": Number(1, 100, whole=True),
        "critical": Flag(),
        "enabled": Flag(),
        "public": Flag(),
        "component": Text(),
        "area": Choice(*AREAS, may_be_empty=True),
        "service": Text(),
        "description": Text(),
        "owner": Text(),
        "runbook": Address(),
    },
    unfold=partial(with_uid, kind="check"),
    fold=partial(without_uid, kind="check"),
    check=checks.check_check,
)

CHECKS: Final[Listed[Check]] = Listed(CHECK, "checks", "check", "checks")
