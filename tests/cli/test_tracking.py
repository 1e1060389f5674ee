"""`balcao tracking`: who follows a parcel, and what carriers told that is not understood yet."""

import psycopg

from tests.cli.conftest import Balcao
from tests.cli.test_shipments import MADE

CARRIER = """
    WITH m AS (UPDATE shipment SET left_alone = 'ambiguous')
    INSERT INTO account (seller_id, id, channel, name, callback_hash, status)
    SELECT seller_id, gen_random_uuid(), 'correios', 'Contrato B', 'y', 'live' FROM seller"""


def test_nothing_told_is_nothing_to_show(balcao: Balcao):
    balcao("seller", "add", "Loja").good()
    assert balcao("tracking", "codes", "--json").good().json == []
    assert "every code that carriers told is understood" in balcao("tracking", "codes").good().out.lower()
    assert balcao("tracking", "strays", "--json").good().json == []
    assert balcao("tracking", "learn", "--json").good().json == {"understood": 0, "kept": 0}
    assert "no account" in balcao("tracking", "follow", "QQ123456785BR", "--carrier", "correios").sentence(2)


def test_a_person_says_who_follows_a_parcel(balcao: Balcao, environment: dict[str, str]):
    balcao("seller", "add", "Loja").good()
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as conn:
        conn.execute(MADE)
        conn.execute(CARRIER)
    (row,) = balcao("shipments", "list", "--json").good().json
    assert row["left_alone"] == "ambiguous"
    assert "no parcel under way has the code 'ZZ1'" in balcao(
        "tracking", "follow", "ZZ1", "--carrier", "Contrato B"
    ).sentence(2)
    assert "is no carrier" in balcao("tracking", "follow", "AA123456785BR", "--carrier", "Loja").sentence(2)
    told = balcao("tracking", "follow", "AA123456785BR", "--carrier", "Contrato B", "--json").good().json
    assert told == {"code": "AA123456785BR", "account": "Contrato B", "parcels": 1}
    (row,) = balcao("shipments", "list", "--json").good().json
    assert row["left_alone"] is None
    assert row["track_due_at"]
