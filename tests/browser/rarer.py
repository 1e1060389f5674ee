"""What stands on a shop's pages only now and then: a code to be told, an invitation, files, a transfer, a print."""

from datetime import timedelta
from typing import Any

from hub.freight import promised
from hub.sandbox import Product
from hub.stock_sheet import read_rows
from hub.store import freight, labels, order_desk, skus
from hub.store.freight import OfferRow
from jobs import freight as quotes
from jobs import freight_labels, imports, members, roles, transfers, two_factor, warehouses
from jobs.freight_checks import own_labels
from tests.flows.freighting import SENDER
from tests.web.site import Site

COPO = Product(sku="COPO-05", title="Copo de vidro 300 ml", quantity=24, price_cents=1290)
CAREFUL = "caio@loja.example"  # is asked for a code
SHEET = """SKU;Quantidade;Depósito
CAN-01;14;
PRA-02;7;
TIG-03;0;
COPO-05;24;
XICARA-07;30;
JAR-04;três;
PRATO-RASO;6;galpao
"""


async def add(site: Site) -> None:
    """Make it all in a filled shop."""
    rt, seller_id = site.w.rt, site.w.seller_id
    careful = await site.person(CAREFUL, "operator", name="Caio Prado")
    await two_factor.begin(rt, careful)
    await two_factor.confirm(rt, careful, None)
    (owner, *_) = await site.w.rows("SELECT user_id FROM membership WHERE role = 'owner' ORDER BY created_at")
    await members.invite(rt, seller_id, owner["user_id"], "owner", "duda@loja.example", "warehouse")
    await _move(site)
    await _import(site)
    await _print(site)
    await _close(site)
    await _quote(site)


async def _move(site: Site) -> None:
    """A second warehouse, and units on their way to it."""
    rt, seller_id = site.w.rt, site.w.seller_id
    short = {row["code"] for row in await site.w.rows("SELECT k.code FROM shortage s JOIN sku k ON k.id = s.sku_id")}
    one, other = [code for code in ("CAN-01", "PRA-02", "TIG-03") if code not in short][
        :2
    ]  # what moves fills shortages
    first = (await site.w.row("SELECT code FROM warehouse WHERE kind = 'own' ORDER BY rank LIMIT 1"))["code"]
    await warehouses.add(rt, seller_id, "galpao", "Galpão Curitiba", postal_code="80010000", state="PR")
    number = await transfers.open_transfer(
        rt, seller_id, first, "galpao", {one: 2, other: 2}, note="Reforço para o Sul"
    )
    await transfers.send(rt, seller_id, number)
    await transfers.receive(rt, seller_id, number, {one: 1})


async def _close(site: Site) -> None:
    """A store that was disconnected with open orders, one of them packed; and a GTIN on two SKUs."""
    old = await site.connect("woocommerce", [COPO], name="Loja antiga", seed=4)
    refs = [await old.buy("COPO-05", units) for units in (2, 1)]
    await site.w.settle()
    async with site.w.rt.db.seller(site.w.seller_id) as tx:
        await tx.run("UPDATE sku SET gtin = '7891000315507' WHERE code IN ('COPO-05', 'COPO-06')")
        await order_desk.mark(tx, [(await site.w.order(refs[1]))["id"]], "packed", "Caio Prado", site.w.rt.now())
    await roles.close(site.w.rt, old.account)


async def _import(site: Site) -> None:
    """A sheet of stock that was written, and one that somebody still looks at."""
    rt, seller_id = site.w.rt, site.w.seller_id
    rows, _troubles = read_rows(b"SKU;Quantidade\nCOPO-05;24\nCOPO-06;12\n", "set")
    planned, _wrong = await imports.plan(rt, seller_id, rows, "set", create=True)
    made = await imports.begin(rt, seller_id, planned, "set", file_name="chegada-novembro.csv")
    await imports.carry_on(rt, seller_id, made.number)
    async with rt.db.seller(seller_id) as tx:
        await skus.upload(tx, "stock", "contagem-loja.csv", SHEET.encode(), {"mode": "set", "create": True})


async def _print(site: Site) -> None:
    """Two labels to be printed together, one of which did not come."""
    rt = site.w.rt
    carrier = await site.w.row("SELECT id FROM account WHERE channel = 'correios'")
    orders = await site.w.rows(
        "SELECT id, number FROM orders o WHERE status = 'paid' AND NOT EXISTS (SELECT FROM shortage s "
        "WHERE s.order_id = o.id) ORDER BY placed_at LIMIT 2"
    )
    offer: dict[str, Any] = {"account_id": carrier["id"], "service": "03298", "name": "PAC", "price_cents": 2340}
    ids = []
    async with rt.db.seller(site.w.seller_id) as tx:
        for n, order in enumerate(orders):
            held = await labels.add(
                tx, order["id"], offer, {1: {}}, 1, order["number"], rt.now() + timedelta(minutes=1)
            )
            assert held is not None
            ids += held[1]
            pdf = freight_labels.sealed(rt, b"%PDF-1.4") if n == 0 else None
            await labels.known(
                tx, ids[n], "bought", f"PR{n}", tracking_code=f"AN90000000{n}BR", price_cents=2340, expires_at=None,
                pdf=pdf, now=rt.now(),
            )  # fmt: skip
        made = await labels.print_add(tx, ids, "a4")
        await labels.print_failed(tx, made, {ids[1]: "o rótulo ainda não foi gerado: peça de novo em instantes"})


async def _quote(site: Site) -> None:
    """What a carrier asks for the orders that still need a label."""
    rt = site.w.rt
    carrier = (await site.w.row("SELECT id FROM account WHERE channel = 'correios'"))["id"]
    async with rt.db.seller(site.w.seller_id) as tx:
        for code, grams, sides in (
            ("CAN-01", 350, (120, 100, 90)), ("PRA-02", 620, (280, 280, 40)), ("TIG-03", 2100, (260, 260, 180)),
            ("JAR-04", 900, (300, 160, 140)), ("COPO-05", 240, (90, 90, 140)),
        ):  # fmt: skip
            assert await freight.measure(tx, code, grams, sides)
        await freight.set_policy(tx, None, {"sender": SENDER, "tare_g": 100})
        for order in await freight.queue(tx, "to_buy", own_labels(rt)):
            wanted = await quotes.consignment(tx, order["id"])
            grams = sum(parcel.weight_g for parcel in wanted.parcels)
            offers = [
                OfferRow(
                    account_id=carrier, service=service, name=name, price_cents=base + grams, days=days,
                    deliver_by=promised(days, rt.now()), ms=310,
                )
                for service, name, base, days in (("03298", "PAC", 1980, 7), ("03220", "SEDEX", 3490, 2))
            ]  # fmt: skip
            await freight.keep(tx, order["id"], rt.now(), wanted.asked(), offers)
