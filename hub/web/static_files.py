"""Our stylesheet, script and pictures, read once; their addresses change with their content."""

import hashlib
from functools import cache
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
YEAR = "public, max-age=31536000, immutable"


@cache
def _files() -> dict[str, tuple[bytes, str, str]]:
    """(content, type, short hash) by name."""
    return {
        path.name: (path.read_bytes(), TYPES[path.suffix], hashlib.sha256(path.read_bytes()).hexdigest()[:12])
        for path in sorted(FOLDER.iterdir())
        if path.suffix in TYPES
    }


def address(name: str) -> str:
    """Where a page finds a file."""
    return f"/static/{name}?v={_files()[name][2]}"


async def file(request: web.Request) -> web.Response:
    """One file."""
    found = _files().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    content, type_, _hash = found
    headers = {"Cache-Control": YEAR if request.query.get("v") else "no-cache", "X-Content-Type-Options": "nosniff"}
    return web.Response(body=content, content_type=type_, charset="utf-8", headers=headers)
