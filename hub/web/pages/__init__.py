"""The seller's pages."""

from aiohttp import web


def setup(app: web.Application) -> None:
    """Add the pages to the application."""
    del app
