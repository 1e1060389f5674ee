"""What the web application carries for its handlers."""

from aiohttp import web

from jobs.demo.stand import Stand
from jobs.install import Installation
from jobs.link_desk import Shelf
from jobs.runtime import Runtime

RUNTIME: web.AppKey[Runtime] = web.AppKey("runtime", Runtime)
STAND: web.AppKey[Stand] = web.AppKey("stand", Stand)
INSTALLATION: web.AppKey[Installation] = web.AppKey("installation", Installation)
SHELF: web.AppKey[Shelf] = web.AppKey("shelf", Shelf)
