"""Whether an installation has a user yet, and whether who asks sits at its very machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

import psycopg
from aiohttp import HttpVersion11, web

from hub.store import StoreError
from hub.web.metrics import FORWARDED
from jobs import founding
from jobs.runtime import Runtime

HOME = "/comecar"


class Founding:
    """Whether somebody is there, remembered: once true, it stays true."""

    def __init__(self) -> None:
        self._somebody = False

    async def done(self, rt: Runtime) -> bool:
        """Whether the installation has a user."""
        self._somebody = self._somebody or await founding.anybody(rt)
        return self._somebody

    async def awaited(self, rt: Runtime) -> bool:
        """Whether who would sign in is led to make the first user; never while the database does not say."""
        try:
            return not await self.done(rt)
        except (StoreError, psycopg.OperationalError):
            return False


FOUNDING: web.AppKey[Founding] = web.AppKey("founding", Founding)


def is_here(request: web.Request, public_url: str | None) -> bool:
    """Whether it surely comes from this very machine: else a code is asked for.

    A proxy on this machine shows by its headers, by HTTP/1.0 (nginx, unless told otherwise) or by a public address
    that is set; a page from elsewhere that leads its own name here (DNS rebinding), by that name.
    """
    if any(name in request.headers for name in FORWARDED) or request.version < HttpVersion11:
        return False
    named = [request.host, *([urlsplit(public_url).netloc] if public_url else [])]
    return _is_loopback(request.remote or "") and all(_is_loopback(_bare(each)) for each in named)


def _bare(netloc: str) -> str:
    try:
        return urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return ""


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
