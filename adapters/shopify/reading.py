"""Shopify tells a thing in two spellings, REST names in webhooks and GraphQL names in answers: read alike. Pure."""

from typing import Self

from hub import parse
from hub.model import Raw
from hub.spelling import Spelt, snake

GID = "gid://shopify/"
BOXES = ("data", "order", "orders", "product", "products", "productVariants", "productVariant", "node", "nodes")
OTHERWISE = {  # GraphQL's name: the one in webhooks
    "allocated_amount_set": "amount_set",
    "country_code_v2": "country_code",
    "currency_code": "currency",
    "custom_attributes": "note_attributes",
    "display_financial_status": "financial_status",
    "display_fulfillment_status": "fulfillment_status",
    "display_status": "shipment_status",
    "fulfillment_line_items": "line_items",
    "original_price_set": "price_set",
    "original_unit_price_set": "price_set",
}


class Node(Spelt):
    """A document whose fields bear a webhook's names however the document spells them; paths are told as it does."""

    @classmethod
    def name(cls, key: str) -> str:
        """As a webhook calls it."""
        return OTHERWISE.get(snake(key), snake(key))

    def rows(self, key: str) -> list[Self]:
        """The objects of a list or of a connection, none when not told."""
        return super().rows(f"{key}.nodes" if isinstance(self.told(key), dict) else key)

    def ref(self, key: str) -> str | None:
        """A numeric id, of a gid too; 0 is none."""
        told = super().ref(key)
        return parse.ref(told.rpartition("/")[2].partition("?")[0]) if told and told.startswith(GID) else told

    def money(self, *keys: str) -> int | None:
        """The first of these that is told, in centavos of the shop's own currency; webhooks tell some without a bag."""
        bags = [(key, self.part(f"{key}_set.shop_money")) for key in keys]
        told = (bag.cents("amount") if bag else self.cents(key) for key, bag in bags)
        return next((cents for cents in told if cents is not None), None)

    def word(self, key: str) -> str | None:
        """In small letters; GraphQL tells it in capitals."""
        told = self.text(key)
        return told.lower() if told else None


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
