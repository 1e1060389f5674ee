"""A shop with something on every page: sales, a shortage, a refused write, parcels, an account in preview."""

import json
from datetime import time, timedelta
from uuid import UUID

from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import Tx, alerts, cases, invariants, new_id, purchases, shipments, stock, suppliers
from hub.store import notices as store
from jobs import deadlines, events, notices, shortages, stocktake
from jobs.courier import Courier
from tests.web.site import Site

SHELF = [
    Product(sku="CAN-01", title="Caneca de porcelana azul 300 ml", quantity=12, price_cents=3990),
    Product(sku="PRA-02", title="Prato raso branco 26 cm", quantity=8, price_cents=2590),
    Product(
        sku="TIG-03", title="Tigela funda verde-água com tampa de bambu, jogo de seis", quantity=5, price_cents=123456
    ),
    Product(sku="JAR-04", title="Jarra de vidro 1,5 l", quantity=3, price_cents=7990),
]


async def fill(site: Site) -> str:
    """Make it all; answers the id of an order with a shortage."""
    w = site.w
    one = await site.connect("woocommerce", SHELF, name="Loja da Ana", seed=1)
    two = await site.connect("mercadolivre", SHELF, name="Mercado Livre Ana", seed=2)
    await w.open_stock(**{product.sku: product.quantity for product in SHELF})
    for sku, units in (("CAN-01", 3), ("PRA-02", 1), ("TIG-03", 2)):
        await one.buy(sku, units)
        await two.buy(sku, 1)
    await w.settle()
    await w.open_stock(**{"JAR-04": 1})
    await two.buy("JAR-04", 1)
    await w.settle()
    await site.connect("correios", [], name="Correios contrato", approve=False)
    await site.connect("woocommerce", SHELF[:3], name="Atacado (nova)", approve=False, seed=3)
    rows = await w.rows("SELECT id, account_id, number FROM orders ORDER BY placed_at")
    async with w.rt.db.seller(w.seller_id) as tx:
        told = Shipment(
            ref="hub:AA123456785BR",
            carrier="Correios",
            service="PAC",
            tracking_code="AA123456785BR",
            status=TrackingStatus.IN_TRANSIT,
        )
        await shipments.add(tx, rows[0]["account_id"], rows[0]["id"], told, None, w.rt.now())
        await tx.run(
            "INSERT INTO tracking_event (seller_id, shipment_id, carrier, at, raw_code, place, state, status, "
            "description) SELECT seller_id, id, 'correios', now() - interval '6 days' - n * interval '5 hours', "
            "'RO/' || n, 'Curitiba', 'PR', s, d FROM shipment, (VALUES "
            "(1, 'in_transit', 'Objeto em transferência'), (2, 'accepted', 'Objeto postado')) v(n, s, d) "
            "WHERE tracking_code = 'AA123456785BR'"
        )
        await tx.run(
            "UPDATE shipment SET last_event_at = now() - interval '5 hours', deliver_by = now() + interval '3 days'"
        )
        await tx.run("UPDATE shipment SET news_told = '{dispatched,in_transit}', news_due_at = NULL")
        await tx.run(
            "INSERT INTO shortage (seller_id, order_id, line_ref, sku_id, quantity) "
            "SELECT l.seller_id, l.order_id, l.ref, l.sku_id, 1 FROM order_line l WHERE l.order_id = %s LIMIT 1",
            [rows[1]["id"]],
        )
        await break_one(tx, rows[1]["id"])
        await cases.sync(tx, [rows[1]["id"]])
        await alerts.raise_(
            tx,
            "shortage",
            str(rows[1]["id"]),
            severity="urgent",
            due_at=w.rt.now() + timedelta(hours=5),
            order=rows[1]["number"],
            units=1,
        )
        await alerts.raise_(
            tx, "slot_parked", "x/1", account="Loja da Ana", ref="1003", detail="este produto está em revisão no canal"
        )
        await tx.run(
            "UPDATE stock_slot SET parked_code = 'under_review', "
            "parked_reason = 'este produto está em revisão no canal', due_at = NULL "
            "WHERE id = (SELECT id FROM stock_slot WHERE account_id = %s ORDER BY id LIMIT 1)",
            [two.account.id],
        )
        await tx.run(
            "UPDATE orders SET told = jsonb_set(told, '{ship_by}', to_jsonb(now() + n * interval '100 minutes')), "
            "deadline_at = now() FROM (SELECT id AS i, row_number() OVER (ORDER BY id) - 2 AS n FROM orders) x "
            "WHERE i = id AND status = 'paid'"
        )
        await tx.run(
            "UPDATE shipment SET last_event_at = now() - interval '149 hours' WHERE tracking_code = 'AA123456785BR'"
        )
    while await deadlines.turn(w.rt) or await shortages.look_into(w.rt):
        pass
    await order_more(site)
    await differ(site)
    await leave_unlinked(site, str(one.account.id))
    await stand_still(site, str(one.account.id))
    await listen(site)
    await site.leave_tokens(one.account, 3)
    await site.leave_tokens(two.account, 400)
    await hear(site)
    await w.rt.http.throttle.penalize(f"account:woocommerce:{one.account.id}", w.rt.now() + timedelta(minutes=5))
    return str(rows[1]["id"])


async def break_one(tx: Tx, order_id: UUID) -> None:
    """The unit that its first line lacks was there, and broke."""
    held = await tx.one("SELECT * FROM reservation WHERE order_id = %s LIMIT 1", [order_id])
    assert held is not None
    sku, house = held["sku_id"], held["warehouse_id"]
    if held["quantity"] == 1:
        await tx.run("DELETE FROM reservation WHERE order_id = %s AND line_ref = %s", [order_id, held["line_ref"]])
    else:
        sql = "UPDATE reservation SET quantity = quantity - 1 WHERE order_id = %s AND line_ref = %s"
        await tx.run(sql, [order_id, held["line_ref"]])
    await tx.run(
        "UPDATE stock_level SET on_hand = on_hand - 1, reserved = reserved - 1 WHERE sku_id = %s AND warehouse_id = %s",
        [sku, house],
    )
    await stock.move(tx, sku, house, -1, "adjustment", "quebra:1", note="Quebrou na separação")


async def order_more(site: Site) -> None:
    """A purchase order that was sent, with two of the shelf's things, and a count that is open."""
    await stocktake.open_count(site.w.rt, site.w.seller_id)
    skus = {row["code"]: row["id"] for row in await site.w.rows("SELECT code, id FROM sku")}
    async with site.w.rt.db.seller(site.w.seller_id) as tx:
        supplier = await suppliers.add(tx, "Cerâmica do Vale", lead_time_days=12)
        assert supplier is not None
        made = await purchases.add(tx, supplier)
        await purchases.put_lines(tx, made, {skus["CAN-01"]: (24, 1450), skus["JAR-04"]: (6, 3200)})
        await purchases.set_status(tx, made, "sent", sent_at=site.w.rt.now())


async def stand_still(site: Site, account_id: str) -> None:
    """Notices and documents that could not be read, one of them of a known order, and a flow that fails."""
    (order,) = await site.w.rows("SELECT ref FROM orders WHERE account_id = %s LIMIT 1", account_id)
    document = {"id": 1, "status": "sob-encomenda", "token": "segredo", "line_items": [{"sku": "CAN-01", "total": "?"}]}
    async with site.w.rt.db.seller(site.w.seller_id) as tx:
        for topic, ref, error, raw in (
            ("order", order["ref"], "shape unreadable: line_items.0.total: não é um número", document),
            ("order", "99871", "shape unreadable: status: sob-encomenda não está na tabela de situações", document),
            ("listing", "4410", "missing 404: woocommerce_rest_product_invalid_id: ID inválido.", None),
            ("order", "99872", "rejected 403: Desculpe, você não pode ver este recurso.", None),
        ):
            id_ = new_id()
            await tx.run(
                "INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, raw, state, error, "
                "attempts, received_at) VALUES (%s, %s, %s, 'webhook', %s, %s, %s, %s, 'parked', %s, 1, "
                "now() - interval '7 hours')",
                [tx.seller, id_, account_id, topic, ref, str(id_), json.dumps(raw).encode() if raw else None, error],
            )
        await tx.run(
            "UPDATE task SET attempts = 4, error = 'transient 503: Serviço indisponível, tente mais tarde.' "
            "WHERE account_id = %s AND kind = 'listings'",
            [account_id],
        )


async def leave_unlinked(site: Site, account_id: str) -> None:
    """A listing that names a code another way, and packs of it."""
    async with site.w.rt.db.seller(site.w.seller_id) as tx:
        await tx.run("UPDATE sku SET title = 'Caneca de porcelana azul 300 ml' WHERE code = 'CAN-01'")
        await tx.run(
            "INSERT INTO stock_slot (seller_id, id, account_id, ref, listing_ref, seen, seen_at, expected, "
            "approved_at) VALUES (%s, gen_random_uuid(), %s, '7001', '7001', 2, now(), 2, now())",
            [tx.seller, account_id],
        )
        await tx.run(
            "INSERT INTO listing (seller_id, id, account_id, ref, slot_id, title, channel_sku, status, managed_by, "
            "price_cents, seen_at) SELECT seller_id, gen_random_uuid(), account_id, ref, id, "
            "'Kit 6 canecas de porcelana azul 300 ml', 'can 01', 'active', 'seller', 19990, now() FROM stock_slot "
            "WHERE ref = '7001'"
        )


async def hear(site: Site) -> None:
    """Somebody is told of alerts by two chats; one of them is gone."""
    (ana,) = await site.w.rows("SELECT user_id FROM membership LIMIT 1")
    wishes = {
        "least": "warning", "scope": "all", "kinds": ["shortage"], "handed": True, "quiet": "21:00-07:00",
        "digest_at": time(7, 30),
    }  # fmt: skip
    told = {"url": "https://hooks.slack.com/services/T0/B0/segredo"}
    await notices.add(site.w.rt, site.w.seller_id, ana["user_id"], "slack", "Operação no Slack", told, wishes)
    made = await notices.add(site.w.rt, site.w.seller_id, ana["user_id"], "slack", "Plantão", told, wishes)
    async with site.w.rt.db.seller(site.w.seller_id) as tx:
        await store.turn(tx, made, site.w.rt.now(), on=False, reason="gone")
        for state, answer in (("sent", "200"), ("failed", "gone: 404 no_service")):
            head = "Loja de Teste · Urgente: Vendido e em falta"
            message = await store.leaving(tx, made, "alerts", head, [], site.w.rt.now())
            await store.settle(tx, made, message, state, answer)


DIFFERENCES = (  # class, direction, state, why, seen, desired
    ("external_edit", "down", "proposed", "no_order_came", 3, 8),
    ("unknown_sale", "down", "waiting", "fresh", 4, 5),
    ("lost_push", "up", "repairing", "as_before_the_push", 12, 9),
    ("wrong_link", None, "proposed", "names_another", 2, 2),
    ("external_edit", "up", "closed", "more_than_ours", 30, 9),
)


async def differ(site: Site) -> None:
    """Differences of every kind, an invariant check that found something, and work that waits for long."""
    async with site.w.rt.db.seller(site.w.seller_id) as tx:
        for class_, direction, state, why, seen, desired in DIFFERENCES:
            await tx.run(
                """INSERT INTO drift (seller_id, id, account_id, slot_id, class, direction, state, why, seen, expected,
                       desired, count, first_seen_at, last_seen_at, closed_at, ended, suggested_sku_id)
                   SELECT seller_id, %s, account_id, id, %s, %s, %s, %s, %s, %s, %s, 3, now() - interval '5 hours',
                       now(), CASE WHEN %s = 'closed' THEN now() END, CASE WHEN %s = 'closed' THEN 'repaired' END,
                       CASE WHEN %s = 'wrong_link' THEN (SELECT id FROM sku WHERE code = 'JAR-04') END
                   FROM stock_slot s WHERE NOT EXISTS (SELECT FROM drift d WHERE d.slot_id = s.id)
                   ORDER BY id LIMIT 1""",
                [new_id(), class_, direction, state, why, seen, desired, desired, state, state, class_],
            )
        await invariants.keep(
            tx,
            {
                "id": new_id(), "seconds": 1.4, "pieces": 14, "late": [], "count": 1,
                "broken": json.dumps([{"name": "I1 on_hand is the sum of its movements", "rows": [
                    {"sku_id": str(new_id()), "warehouse_id": str(new_id()), "on_hand": 9, "moved": 8}]}]),
            },
        )  # fmt: skip


async def listen(site: Site) -> None:
    """Two programs that are to be told of events, neither of them there, and one event that was not taken."""
    rt, seller_id = site.w.rt, site.w.seller_id
    made = await events.add(rt, seller_id, "https://127.0.0.1:9/eventos", None, "ERP da loja")
    await events.add(rt, seller_id, "https://127.0.0.1:9/painel", ["stock.changed", "order.created"], "Painel")
    await Courier(rt).send_now(seller_id, made.id, await events.test(rt, seller_id, made.id))
