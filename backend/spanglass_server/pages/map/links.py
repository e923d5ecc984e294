"""Where nodes and calls of the service map lead: to the map around a service, or to the traces of the calls."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from spanglass_server.pages.rendering import terms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from spanglass_server.pages.visit import Visit

#: What follows the last colon of an address without colons; digits of other scripts are part of a name.
_PORT = re.compile(r"[0-9]{1,5}")
_CALLS = "kind in (client, producer)"


def of_node(visit: Visit, node: Mapping[str, Any]) -> str:
    """A service leads to the map around it, and from there to its page; all else to the traces that call it."""
    if node["kind"] != "service":
        return visit.go("/traces", filter=f"{_CALLS} and {called(node)}")
    if visit.exact("focus") == node["name"]:
        return visit.to_service(node["name"])
    return visit.here(focus=node["name"])


def of_call(visit: Visit, caller: Mapping[str, Any], callee: Mapping[str, Any]) -> str:
    """The traces in which one calls the other."""
    if caller["kind"] == "queue":
        own = terms.term(terms.SERVICE, callee["name"])
        return visit.go("/traces", filter=f"kind = consumer and {own} and {called(caller)}")
    own = terms.term(terms.SERVICE, caller["name"])
    return visit.go("/traces", filter=f"{own} and {called(callee)}")


def called(node: Mapping[str, Any]) -> str:
    """The filter of spans that call a node."""
    name = node["name"]
    if node["kind"] == "service":
        return f"child({terms.term(terms.SERVICE, name)})"
    if node["kind"] == "queue":
        return terms.term("messaging.destination.name", name)
    if node["kind"] == "database":
        system = terms.term("db.system.name", node["system"])
        either = " or ".join(terms.term(key, name) for key in ("db.namespace", "server.address"))
        return system if name == node["system"] else f"{system} and ({either})"
    host, _, port = name.rpartition(":")
    if host and ":" not in host and _PORT.fullmatch(port):
        return f"{terms.term('server.address', host)} and {terms.term('server.port', int(port))}"
    keys = ("server.address", "service.peer.name", "peer.service")
    return "(" + " or ".join(terms.term(key, name) for key in keys) + ")"
