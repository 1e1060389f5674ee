"""The operations of queries.graphql, and the requests that ask for them. Pure."""

import re
from importlib.resources import files

from hub.model import Raw, Request

PATH = "/admin/api/2026-04/graphql.json"
_DEFINITION = re.compile(r"^(?:query|mutation|fragment) (\w+).*?^}", re.MULTILINE | re.DOTALL)
_TOLD = files("adapters.shopify").joinpath("queries.graphql").read_text("utf-8")
_TEXTS = {found[1]: found[0] for found in _DEFINITION.finditer(_TOLD)}


def _spread(name: str) -> set[str]:
    """The fragments that a definition names, and those that they name."""
    named = set(re.findall(r"\.\.\.(\w+)", _TEXTS[name]))
    return named.union(*map(_spread, named))


OPERATIONS = {
    name: "\n\n".join([text, *(_TEXTS[each] for each in sorted(_spread(name)))])
    for name, text in _TEXTS.items()
    if not text.startswith("fragment")
}


def asking(name: str, variables: Raw, operation: str | None = None, *, repeatable: bool = False) -> Request:
    """One of the OPERATIONS with its variables: a query changes nothing, and may be sent again."""
    query = OPERATIONS[name]
    body, asks = {"query": query, "variables": variables}, query.startswith("query")
    return Request(method="POST", path=PATH, json=body, operation=operation, repeatable=repeatable or asks, asks=asks)
