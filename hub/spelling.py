"""Documents that spell the same field in more than one way, as APIs of several ages do. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from hub.model import Raw
from hub.wire import Wire


class Spelt(Wire):
    """A Wire whose fields are named in snake_case however they are spelt; paths are told as the document spells them.

    Of two spellings in one object the last counts.
    """

    __slots__ = ("spelt",)

    def __init__(self, raw: Raw, path: str) -> None:
        super().__init__(raw, path)
        self.spelt = {self.name(key): key for key in self.raw}
        self.raw: Mapping[str, Any] = {name: self.raw[key] for name, key in self.spelt.items()}

    @classmethod
    def name(cls, key: str) -> str:
        """The name under which a field is asked for."""
        return snake(key)

    def at(self, key: str) -> str:
        """The path of a field, spelt as it came."""
        outer, _, last = key.rpartition(".")
        return self.part(outer).at(last) if outer else super().at(self.spelt.get(last, last))


def snake(key: str) -> str:
    """`orderId` and `OrderId` as `order_id`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key).lower()
