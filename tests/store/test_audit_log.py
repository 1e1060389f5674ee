"""The audit log looks at few rows, whatever it is filtered by, also where a program asks what is new."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from hub.store import Database, Tx, audit_log
from tests.store.watched import Watched, filled_by

SELLER = uuid.uuid4()
NOW = datetime.now(UTC)
ROWS, COUNTED = 8000, 2000  # one a second; those that the statistics know of
TOLD = {"seller": SELLER, "rows": ROWS, "now": NOW}
# Ids as UUIDv7 are: their time first.
FILL = """
    INSERT INTO audit_log (seller_id, id, action, subject, at, actor)
    SELECT %(seller)s, (lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || '70008'
                        || lpad(to_hex(n), 15, '0'))::uuid,
           CASE WHEN n %% 200 = 0 THEN 'rare' ELSE 'often' END, 'x', at, 'web:' || n %% 7
    FROM generate_series(%(first)s::int, %(last)s::int) n,
         LATERAL (SELECT %(now)s - (%(rows)s - n) * interval '1 second' AS at) t"""


@pytest.fixture(scope="module")
def filled() -> Iterator[str]:
    seller = "INSERT INTO seller (seller_id, name) VALUES (%(seller)s, 'x')"
    with filled_by([seller, FILL], {**TOLD, "first": 1, "last": COUNTED}) as url:
        yield url


async def test_the_log_is_read_along_an_index_whatever_the_statistics_say(filled: str) -> None:
    asked: tuple[tuple[dict[str, Any], int, int], ...] = (  # what, how many are found, how many are looked at
        ({}, 51, 51),
        ({"action": "rare"}, 40, 40),
        ({"actor": "web:3"}, 51, 51),
        ({"since": NOW - timedelta(hours=1)}, 51, 51),
        ({"since": NOW - timedelta(seconds=9)}, 10, 1000),
        ({"since": NOW + timedelta(days=1)}, 0, 0),
    )
    async with Database(filled) as db, db.seller(SELLER) as tx:
        await tx.run(FILL, {**TOLD, "first": COUNTED + 1, "last": ROWS})
        for told, found, most in asked:
            watched = Watched(tx, ("audit_log",))
            rows = await audit_log.listed(cast("Tx", watched), **told, limit=51)
            assert (len(rows), watched.looked <= most) == (found, True), (told, watched.looked)
            assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
