"""Words of names: found is what a look at every row finds, and a frequent name costs no more than a rare one."""

import random
import uuid
from collections.abc import Iterator
from typing import cast
from uuid import UUID

import psycopg
import pytest

from hub.store import Database, Tx
from hub.store.words import MOST_SPELLINGS, STRETCHES, Words
from tests.services import database
from tests.store.watched import Watched

SELLER = uuid.uuid4()
ROWS = 60_000
FIRST = ["ana", "bia", "caio", "davi", "edu"]
SECOND = ["silva", "souza", "sousa", "lima", "araujo"]
NEWEST, OLDEST = Words("order_word", "order_id"), Words("order_word", "order_id", newest=False)
Names = dict[UUID, set[str]]


@pytest.fixture(scope="module")
def filled() -> Iterator[tuple[str, Names]]:
    """A shop with so many names: two words that many have, one of 120 that begin alike, and of ten rows a rare one."""
    drawn = random.Random(3)
    names = {
        UUID(int=n): {drawn.choice(FIRST), drawn.choice(SECOND), f"mo{n % 120:03}"} | ({"zuleica"} if n < 10 else set())
        for n in range(ROWS)
    }
    with database() as url:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("INSERT INTO seller (seller_id, name) VALUES (%s, 'x')", [SELLER])
            with conn.cursor().copy("COPY order_word (seller_id, word, order_id) FROM STDIN") as rows:
                for id_, words in names.items():
                    for word in words:
                        rows.write_row((SELLER, word, id_))
            conn.execute("VACUUM ANALYZE order_word")
        yield url, names


def every(names: Names, told: str, limit: int, *, newest: bool) -> set[UUID]:
    """What is to be found, by looking at every name."""
    fits = [id_ for id_, words in names.items() if all(any(word.startswith(t) for word in words) for t in told.split())]
    return set(sorted(fits, reverse=newest)[:limit])


@pytest.mark.parametrize(
    "told",
    [
        "ana",
        "silva ana",
        "so da",  # two spellings of the one
        "mo00",  # ten
        "mo",  # more than are looked up one by one
        "ana mo",
        "mo mo00",
        "so mo00 ana",
        "zul",
        "zul bia",
        "ana bia",  # many have either and none has both
        "ana nobody",
        "a l mo0",  # a single letter may narrow
    ],
)
async def test_what_is_found_is_what_every_row_tells(filled: tuple[str, Names], told: str) -> None:
    url, names = filled
    assert MOST_SPELLINGS < 120
    assert STRETCHES[0] < ROWS / len(FIRST) < STRETCHES[-1], "one stretch is not enough for those that nobody has"
    async with Database(url) as db, db.seller(SELLER) as tx:
        for limit in (1, 200):
            assert await NEWEST.find(tx, told, limit) == every(names, told, limit, newest=True)
            assert await OLDEST.find(tx, told, limit) == every(names, told, limit, newest=False)


@pytest.mark.parametrize("told", ["a", "", "!", "a b c"])
async def test_too_short_finds_nothing(filled: tuple[str, Names], told: str) -> None:
    async with Database(filled[0]) as db, db.seller(SELLER) as tx:
        assert await NEWEST.find(tx, told, 200) == set()


async def test_a_word_that_nobody_has_is_not_looked_for_among_those_of_the_others(filled: tuple[str, Names]) -> None:
    async with Database(filled[0]) as db, db.seller(SELLER) as tx:
        watched = Watched(tx, ["order_word"])
        assert await NEWEST.find(cast("Tx", watched), "ana nobody", 200) == set()
        assert watched.looked < 100


@pytest.mark.parametrize(
    ("told", "most"),
    [
        ("ana", 210),  # 12,000 rows have it
        ("zul ana", 12_500),  # ten of the oldest, held against all that have the other
        ("silva ana", 2.3 * STRETCHES[0]),
    ],
)
async def test_a_frequent_name_costs_no_more(filled: tuple[str, Names], told: str, most: float) -> None:
    async with Database(filled[0]) as db, db.seller(SELLER) as tx:
        watched = Watched(tx, ["order_word"])
        assert await NEWEST.find(cast("Tx", watched), told, 200)
        assert watched.looked < most, f"{told} looks at {watched.looked} rows"
