"""Shopify tells a thing in two spellings, REST names in webhooks and GraphQL names in answers: read alike. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from hub import parse
from hub.faults import Unreadable
from hub.model import Raw
from hub.wire import Wire

GID = "gid://shopify/"
BOXES = (
    "data",
    "order",
    "orders",
    "product",
    "products",
    "productVariants",
    "productVariant",
    "node",
    "nodes",
    "edges",
)


class Node(Wire):
    """A Wire whose fields are named in snake_case however the document spells them; paths are told as it does."""

    __slots__ = ("spelt",)

    def __init__(self, raw: Raw, path: str) -> None:
        super().__init__(raw, path)
        self.spelt = {re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower(): key for key in self.raw}
        self.raw: Mapping[str, Any] = {name: self.raw[key] for name, key in self.spelt.items()}

    def at(self, key: str) -> str:
        """The path of a field, spelt as it came."""
        return super().at(self.spelt.get(key, key))

    def part(self, key: str) -> "Node":
        """A nested object, empty when not told."""
        return Node(self.raw.get(key), self.at(key))

    def nodes(self, key: str) -> list["Node"]:
        """The objects of a list or of a connection, none when not told."""
        told, path = self.raw.get(key), self.at(key)
        if isinstance(told, dict):
            told, path = told.get("nodes"), f"{path}.nodes"
        if told is not None and not isinstance(told, list):
            raise Unreadable(path, "not a list")
        return [Node(row, f"{path}.{n}") for n, row in enumerate(told or ())]

    def number(self, key: str = "id") -> str | None:
        """A numeric id, of a gid too; 0 is none."""
        told = self.ref(key)
        return parse.ref(told.rpartition("/")[2].partition("?")[0]) if told and told.startswith(GID) else told

    def needed_number(self, key: str = "id") -> str:
        """An id without which the document is of no use."""
        told = self.number(key)
        if told is None:
            raise Unreadable(self.at(key), "not told")
        return told

    def money(self, key: str) -> int | None:
        """Centavos of the shop's own currency; `key` without `_set` is its plain REST spelling."""
        bag = self.part(f"{key}_set").part("shop_money")
        return bag.cents("amount") if bag else self.cents(key)

    def word(self, *keys: str) -> tuple[str, str | None]:
        """The first of these that is told, and its word in lower case."""
        for key in keys:
            if (told := self.text(key)) is not None:
                return key, told.lower()
        return keys[0], None


def gid(kind: str, number: str) -> str:
    """The global id of a numeric one."""
    return f"{GID}{kind}/{number}"


def unboxed(raw: Raw) -> list[Raw]:
    """The documents inside an answer: an envelope, a connection, a list, or the bare document itself."""
    if isinstance(raw, list):
        return [one for row in raw for one in unboxed(row)]
    if isinstance(raw, dict) and "id" not in raw:
        for box in BOXES:
            if isinstance(raw.get(box), dict | list):
                return unboxed(raw[box])
    return [raw]
