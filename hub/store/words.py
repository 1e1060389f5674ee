"""Rows found by the words of a name, each by how it begins: in tables of (seller_id, word, row)."""

from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx

LEAST_PREFIX = 2  # letters that the beginning of a word is looked for by
MOST_WORDS = 5
_LAST = "\U0010ffff"  # greater than whatever may follow a prefix


@dataclass(frozen=True, slots=True)
class Words:
    """A table of words, and its column that says whose they are."""

    table: LiteralString
    column: LiteralString
    newest: bool = True  # which are told where there are more than `limit`: the latest ids, or the first

    async def find(self, tx: Tx, told: str, limit: int) -> set[UUID]:
        """Those with words that begin with each of the words told; none where these are too short."""
        words: list[str] = await tx.value("SELECT name_words(%s)", [told]) or []
        words = sorted(words, key=len, reverse=True)[:MOST_WORDS]
        if not words or len(words[0]) < LEAST_PREFIX:
            return set()
        names: tuple[LiteralString, ...] = ("a", "b", "c", "d", "e")
        branches: list[LiteralString] = []
        params: dict[str, Any] = {"limit": limit}
        for name, word in zip(names, words, strict=False):
            branches.append(
                f"SELECT {self.column} FROM {self.table} WHERE word >= %({name})s AND word < %({name}_end)s"
            )
            params |= {name: word, f"{name}_end": word + _LAST}
        first, *others = branches
        narrowed = "".join(f" AND {self.column} IN ({branch})" for branch in others)
        order: LiteralString = "DESC" if self.newest else "ASC"
        sql: Any = f"{first}{narrowed} ORDER BY {self.column} {order} LIMIT %(limit)s"
        return {row[self.column] for row in await tx.all(sql, params)}
