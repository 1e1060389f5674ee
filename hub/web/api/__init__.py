"""The REST API, version 1: which address is answered by what, and the scope that it asks for."""

from aiohttp import web

from hub.web.api import stock
from hub.web.api.edge import answered, nowhere, wrong_method

# What is read, by path: its handler, and the scope asked for.
READ = (("/api/v1/skus/{code:.+}/stock", stock.show, "stock:read"),)


def setup(app: web.Application) -> None:
    """Add the API to the application, before the pages: they answer every other address."""
    for path, handler, scope in READ:
        app.router.add_get(path, answered(handler, scope))
        app.router.add_route("*", path, answered(wrong_method, None))
    app.router.add_route("*", "/api/{anything:.*}", answered(nowhere, None))
