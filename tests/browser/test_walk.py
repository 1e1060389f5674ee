"""Every page that the hub answers is looked at: in tests.browser.walk it stands, or the reason why not."""

import re

from hub.web.pages import ROUTES
from tests.browser.walk import LEFT_OUT, PAGES

FILE = re.compile(r"\.(csv|pdf)$|\{kind:")  # something to keep, no page


def _pattern(route: str) -> str:
    parts = re.split(r"(\{(?:[^{}]|\{[^}]*\})+\})", route)
    return "".join((".+" if ":.+" in part else "[^/]+") if part.startswith("{") else re.escape(part) for part in parts)


def test_no_page_is_forgotten():
    walked = {re.sub(r"\{\w+\}", "x", spot.path.partition("?")[0]) for spot in PAGES}
    pages = {path for method, path, _handler, _least in ROUTES if method == "GET" and not FILE.search(path)}
    missing = {
        path for path in pages - LEFT_OUT.keys() if not any(re.fullmatch(_pattern(path), each) for each in walked)
    }
    assert missing == set(), "add a line to PAGES of tests/browser/walk.py"
    assert LEFT_OUT.keys() <= pages, "a page that is left out is not there any more"


def test_names_are_told_apart():
    assert len({spot.name for spot in PAGES}) == len(PAGES)
