"""Why something cannot be: an English sentence that also says of what kind it is. Pure."""

from collections.abc import Mapping
from typing import Self


class Refusal(str):
    """One sentence; `kind` and `params` let a page say it in its reader's language."""

    __slots__ = ("kind", "params")
    kind: str
    params: Mapping[str, object]

    def __new__(cls, sentence: str, kind: str, **params: object) -> Self:
        """The sentence, of that kind, naming these."""
        made = super().__new__(cls, sentence)
        made.kind, made.params = kind, params
        return made

    def about(self, field: str) -> Self:
        """The same, naming the field of a form or file that it is about."""
        return type(self)(f"{field}: {self}", self.kind, **self.params)
