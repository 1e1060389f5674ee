"""Rows found by the words of a name, each by how it begins: in tables of (seller_id, word, row)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString
from uuid import UUID

from hub.store import Tx

LEAST_PREFIX = 2  # letters that the beginning of a word is looked for by
MOST_WORDS = 5
MOST_SPELLINGS = 64  # words with the same beginning that are looked up one by one
RARE = 2_000  # rows of a beginning that are counted: of two with more, either will do to follow
STRETCHES = (5_000, 20_000, 80_000, 2**62)  # rows of the rarest word held against the others, where fewer gave too few
_LAST = "\U0010ffff"  # greater than whatever may follow a prefix


@dataclass(frozen=True, slots=True)
class _Start:
    """The beginning of a word, and the words of the table that begin so: empty where they are too many to name."""

    prefix: str
    spellings: Sequence[str]
    rows: int


@dataclass(frozen=True, slots=True)
class Words:
    """A table of words, and its column that says whose they are."""

    table: LiteralString
    column: LiteralString
    newest: bool = True  # which are told where there are more than `limit`: the latest ids, or the first

    async def find(self, tx: Tx, told: str, limit: int) -> set[UUID]:
        """Those with words that begin with each of the words told; none where these are too short.

        A stretch of the rarest word's rows, in the order of ids, is held against the same stretch of the others', and
        a longer one where that was too few: a name that a hundred thousand rows have costs what one of a thousand does.
        """
        prefixes: list[str] = await tx.value("SELECT name_words(%s)", [told]) or []
        prefixes = sorted(prefixes, key=len, reverse=True)[:MOST_WORDS]
        if not prefixes or len(prefixes[0]) < LEAST_PREFIX:
            return set()
        starts = [await self._start(tx, prefix) for prefix in prefixes]
        if not all(start.rows for start in starts):
            return set()
        starts.sort(key=lambda start: (not start.spellings, start.rows, len(start.spellings)))
        sql, params = self._statement(starts)
        found: set[UUID] = set()
        for stretch in STRETCHES if starts[1:] else (limit,):
            (row,) = await tx.all(sql, {**params, "limit": limit, "stretch": stretch})
            found = set(row["found"])
            if len(found) == limit or row["looked"] < stretch:
                break
        return found

    def _statement(self, starts: Sequence[_Start]) -> tuple[LiteralString, dict[str, Any]]:
        """Of a stretch of the first start's rows those that the others have too, and how many it looked at."""
        row, table = self.column, self.table
        order: LiteralString = "DESC" if self.newest else "ASC"
        within: LiteralString = ">= (SELECT min(id::text)::uuid FROM a)"
        if not self.newest:
            within = "<= (SELECT max(id::text)::uuid FROM a)"
        params: dict[str, Any] = {}
        had: list[LiteralString] = []
        for name, start in zip(("a", "b", "c", "d", "e"), starts, strict=False):
            params |= {name: start.spellings, f"{name}_from": start.prefix, f"{name}_to": start.prefix + _LAST}
            had.append(
                f"word = ANY(%({name})s)" if start.spellings else f"word >= %({name}_from)s AND word < %({name}_to)s"
            )
        first: LiteralString = f"SELECT {row} AS id FROM {table} WHERE {had[0]}"
        if starts[0].spellings:  # each word's rows are in order; those of several are not
            first = f"""SELECT f.id FROM unnest(%(a)s::text[]) s(word) CROSS JOIN LATERAL (
                SELECT {row} AS id FROM {table} t WHERE t.word = s.word ORDER BY {row} {order} LIMIT %(stretch)s) f"""
        # Each side is read once; a join may be planned to read the other anew for each row of the first.
        others: LiteralString = "".join(
            f" INTERSECT SELECT {row} FROM {table} WHERE {each} AND {row} {within}" for each in had[1:]
        )
        sql: LiteralString = f"""WITH a AS MATERIALIZED (
                SELECT DISTINCT id FROM ({first}) f ORDER BY id {order} LIMIT %(stretch)s)
            SELECT (SELECT count(*) FROM a) AS looked,
                   ARRAY(SELECT id FROM a{others} ORDER BY id {order} LIMIT %(limit)s) AS found"""
        return sql, params

    async def _start(self, tx: Tx, prefix: str) -> _Start:
        """The words with that beginning, from one to the next along the index, and how many rows have them."""
        params = {"from": prefix, "to": prefix + _LAST, "most": MOST_SPELLINGS + 1, "rare": RARE}
        next_: LiteralString = f"SELECT w.word FROM {self.table} w WHERE w.word < %(to)s AND w.word"
        words = await tx.all(
            f"""WITH RECURSIVE s(word) AS (
                    ({next_} >= %(from)s ORDER BY w.word LIMIT 1)
                    UNION ALL SELECT n.word FROM s CROSS JOIN LATERAL ({next_} > s.word ORDER BY w.word LIMIT 1) n)
                SELECT word FROM s LIMIT %(most)s""",
            params,
        )
        rows = await tx.value(
            f"""SELECT count(*) FROM (SELECT FROM {self.table} WHERE word >= %(from)s AND word < %(to)s
                LIMIT %(rare)s) r""",
            params,
        )
        return _Start(prefix, [row["word"] for row in words] if len(words) <= MOST_SPELLINGS else [], rows)
