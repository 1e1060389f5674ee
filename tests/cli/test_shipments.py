"""`balcao shipments show` and the links for buyers."""

import psycopg

from tests.cli.conftest import Balcao

MADE = """
    WITH a AS (INSERT INTO account (seller_id, id, channel, name, callback_hash)
               SELECT seller_id, gen_random_uuid(), 'woocommerce', 'Loja', 'x' FROM seller RETURNING seller_id, id),
         s AS (INSERT INTO shipment (seller_id, id, account_id, ref, carrier, tracking_code, status)
               SELECT seller_id, gen_random_uuid(), id, 'AA123456785BR', 'Correios', 'AA123456785BR', 'in_transit'
               FROM a
               RETURNING seller_id, id)
    INSERT INTO tracking_event (seller_id, shipment_id, carrier, at, raw_code, place, state, status, description)
    SELECT seller_id, id, 'correios', now(), 'RO/01', 'Curitiba', 'PR', 'in_transit', 'Objeto em trânsito' FROM s"""


def test_a_parcel_is_shown_with_the_page_for_its_buyer(balcao: Balcao, environment: dict[str, str]):
    balcao("seller", "add", "Loja").good()
    assert "there is no shipment 'AA1'" in balcao("shipments", "show", "AA1").sentence(2)
    with psycopg.connect(environment["DATABASE_URL"], autocommit=True) as conn:
        conn.execute(MADE)
    told = balcao("shipments", "show", "aa123456785br", "--json").good().json
    assert told["link"] is None
    assert [scan["place"] for scan in told["scans"]] == ["Curitiba"]
    assert "BALCAO_PUBLIC_URL is not set" in balcao("shipments", "show", told["id"]).good().out

    environment["BALCAO_PUBLIC_URL"] = "https://b.example/hub/"
    link = balcao("shipments", "show", told["id"], "--json").good().json["link"]
    assert link.startswith("https://b.example/hub/r/")
    assert link in balcao("shipments", "show", told["id"]).good().out
    assert link in balcao("shipments", "list", "--links").good().out.replace("\n", "")
    (row,) = balcao("shipments", "list", "--json").good().json
    assert row["link"] == link
