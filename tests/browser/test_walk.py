"""Every page that the hub answers is looked at and pictured: in tests.browser.walk it stands, or the reason why not."""

import re

from aiohttp import web

from hub.web import api, pages
from tests.browser.walk import LEFT_OUT, PAGES

LOOSE = ("{sku}",)  # may hold a slash


def answered() -> set[str]:
    """Addresses of what people look at: all that hub.web.edge.page or a module of hub.web.pages answers."""
    app = web.Application()
    api.setup(app)
    pages.setup(app)
    # The address of a form alone leads to the page above it.
    up = {re.sub(r":[^/]*\}", "}", path) for path in pages.led_up()} - {"/entrar"}
    routes = [each for each in app.router.routes()
              if each.method == "GET" and each.resource and each.resource.canonical not in up]  # fmt: skip
    return {str(each.resource and each.resource.canonical) for each in routes
            if each.handler.__module__.startswith(("hub.web.edge", "hub.web.pages"))}  # fmt: skip


def _pattern(route: str) -> str:
    parts = re.split(r"(\{\w+\})", route)
    return "".join((".+" if part in LOOSE else "[^/]+") if part[:1] == "{" else re.escape(part) for part in parts)


def test_no_page_is_forgotten():
    told = {"walked": PAGES, "pictured": tuple(spot for spot in PAGES if spot.pictured)}
    found = answered()
    assert {"/", "/entrar", "/comecar", "/api/docs", "/r/{token}", "/contas/{id}"} <= found
    for how, some in told.items():
        # A plain address answers for itself alone, not also for the pattern that it fits: /estoque/novo is no SKU.
        walked = {re.sub(r"\{\w+\}", "x", spot.path.partition("?")[0]) for spot in some}
        beyond = walked - found
        missing = {
            path for path in found - LEFT_OUT.keys() - walked
            if not any(re.fullmatch(_pattern(path), each) for each in beyond)
        }  # fmt: skip
        assert missing == set(), f"not {how}: see PAGES of tests/browser/walk.py"
    assert LEFT_OUT.keys() <= found, "what is left out is not there any more"


def test_names_are_told_apart():
    assert len({spot.name for spot in PAGES}) == len(PAGES)
