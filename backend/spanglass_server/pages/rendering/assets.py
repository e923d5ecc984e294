"""Static files, read once at start and served under a path with the hash of them all.

The hash stands in the path, not in a query, so that one script module's relative import of another is versioned, too;
what is under the current hash may be kept by the browser for ever.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from starlette.responses import Response
from starlette.routing import Route

from spanglass_server.access.browsers import HEADERS
from spanglass_server.access.packing import accepts_gzip, pack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

STATIC = Path(__file__).parents[1] / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
#: What a module imports of ours, when it is loaded.
_IMPORTED = re.compile(r'^import [^"\n]*"(\.[^"\n]*)";', re.MULTILINE)
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Assets:
    """All static files by their path below ``static/``, those in gzip that are smaller so, and the hash of them all."""

    files: Mapping[str, bytes]
    packed: Mapping[str, bytes]
    version: str

    def url(self, name: str) -> str:
        """Where a file is served; an unknown name is a mistake in a template and fails."""
        if name not in self.files:
            raise KeyError(name)
        return f"/static/{self.version}/{name}"

    def modules(self, name: str) -> list[str]:
        """Where the modules are served that a script module imports, and those import in turn, each once."""
        found = [name]
        for one in found:  # which grows meanwhile
            for path in _IMPORTED.findall(self.files[one].decode()):
                imported = posixpath.normpath(posixpath.join(posixpath.dirname(one), path))
                if imported not in found:
                    found.append(imported)
        return [*map(self.url, found[1:])]

    def route(self) -> Route:
        """Return the route that serves them."""
        return Route("/static/{version}/{name:path}", self._serve, methods=["GET"], include_in_schema=False)

    async def _serve(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self.files:
            return Response("no such file\n", status_code=404, media_type="text/plain", headers=HEADERS)
        current = request.path_params["version"] == self.version
        headers = {**HEADERS, "cache-control": FOR_EVER if current else "no-cache", "vary": "accept-encoding"}
        body = self.packed.get(name) if accepts_gzip(request) else None
        if body is not None:
            headers["content-encoding"] = "gzip"
        return Response(body or self.files[name], media_type=TYPES[Path(name).suffix], headers=headers)


def read_files(folder: Path = STATIC) -> dict[str, bytes]:
    """Read all files of a known type below ``folder``, by their path there."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in TYPES)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


@cache
def load_assets(folder: Path = STATIC) -> Assets:
    """Read all files of a known type below ``folder``, and pack those that are smaller so; once a process."""
    files = read_files(folder)
    digest = hashlib.sha256()
    for name, body in files.items():
        digest.update(f"{name}\0{len(body)}\0".encode() + body)
    packed = {name: small for name, body in files.items() if len(small := pack(body, often=True)) < len(body)}
    return Assets(files, packed, digest.hexdigest()[:12])
