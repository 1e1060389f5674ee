"""What the API's operations of the desk name: a draft, a transfer, a count, an alert, a label."""

from datetime import timedelta

from aiohttp.test_utils import TestServer

from adapters.woocommerce.sandbox import create as woocommerce
from hub.store import alerts, labels, new_id, order_desk, suppliers, warehouses
from jobs import connect, events, members, notices, processes, purchase, stocktake, transfers, uploads
from tests.web.site import Site

NAMED = {
    "warehouses": "SELECT id::text FROM warehouse ORDER BY rank",
    "order-notes": "SELECT id::text FROM order_note",
    "manifests": "SELECT id::text FROM freight_manifest",
    "suppliers": "SELECT id::text FROM supplier",
    "purchases": "SELECT id::text FROM purchase_order",
    "transfers": "SELECT number::text FROM transfer",
    "counts": "SELECT number::text FROM stock_count",
    "alerts": "SELECT id::text FROM alert",
    "labels": "SELECT id::text FROM freight_label",
    "event-endpoints": "SELECT id::text FROM event_endpoint",
    "people": "SELECT user_id::text AS id FROM membership",
    "playbooks": "SELECT kind FROM alert",
    "absences": "SELECT id::text FROM absence",
    "notice-ways": "SELECT id::text FROM notice_way",
    "uploads": "SELECT id::text FROM sheet_upload",
    "imports": "SELECT number::text FROM stock_import",
    "sku-imports": "SELECT number::text FROM sku_import",
    "invitations": "SELECT id::text FROM invitation",
    "event-deliveries": "SELECT id::text FROM event_delivery",
}


async def spares(s: Site) -> None:
    """Accounts beside the one that sells."""
    sandbox = woocommerce([])
    server = TestServer(sandbox.app)
    await s.w.stack.enter_async_context(server)
    told = sandbox.credentials(str(server.make_url("")).rstrip("/"))
    for name in ("Conta vazia", "Outra conta vazia"):
        await connect.account_add(s.w.rt, s.w.seller_id, "woocommerce", told, name=name, check=False)


async def desk(s: Site, sku: str) -> None:
    """A draft to a supplier, a transfer and a count that are open, an alert, and a label that was bought."""
    rt, seller = s.w.rt, s.w.seller_id
    await spares(s)
    async with rt.db.seller(seller) as tx:
        await suppliers.add(tx, "Porcelanas do Vale")
        await warehouses.warehouse_add(tx, "loja", "Loja", rank=500)
        await alerts.raise_(tx, "slot_parked", "x/1", account="Loja da Ana", ref="1003", detail="under_review")
    await purchase.create(rt, seller, "Porcelanas do Vale", {sku: (12, 1190)})
    await transfers.open_transfer(rt, seller, "principal", "loja", {sku: 1})
    await stocktake.open_count(rt, seller, codes=[sku])
    ana, bia = await s.person("ana@loja.example"), await s.person("bia@loja.example", "operator")
    for kind, sheet in (("stock", b"sku;quantidade\nNOVO;3\n"), ("skus", b"sku;nome\nNOVO;Novo\n")) * 2:
        upload = await uploads.upload(rt, seller, kind, "", sheet, mode="set", create=True)
        if not await s.w.rows(f"SELECT FROM {kind.rstrip('s')}_import"):
            await uploads.confirm(rt, seller, upload)
    wishes = {"least": "info", "scope": "all", "kinds": None, "handed": True, "quiet": None, "digest_at": None}
    await notices.add(rt, seller, bia, "slack", "Turno", {"url": "http://127.0.0.1:9/x"}, wishes)
    begin = rt.now() + timedelta(days=1)
    await processes.add_absence(rt, seller, bia, begin, begin + timedelta(days=7), ana, None)
    await members.invite(rt, seller, None, "owner", "caio@loja.example", "viewer")
    made = await events.add(rt, seller, "http://127.0.0.1:9/eventos", None)
    await events.test(rt, seller, made.id)
    async with rt.db.seller(seller) as tx:
        await tx.run(
            """INSERT INTO freight_label (seller_id, id, order_id, account_id, volume, volumes, reference, service,
                   posting, status, ref, tracking_code, bought_at)
               SELECT o.seller_id, %s, o.id, o.account_id, 1, 1, 'R1', 'PAC', '{}', 'bought', '77', 'AA123456785BR',
                   now() FROM orders o LIMIT 1""",
            [new_id()],
        )
        order_id = await tx.value("SELECT order_id FROM freight_label")
        await order_desk.note(tx, order_id, new_id(), "Ana", "Presente.")
        account_id = await tx.value("SELECT account_id FROM freight_label")
        await tx.run("""UPDATE freight_label SET posting = '{"parcel": {"weight_g": 300}}'""")
        await labels.sign(tx, account_id, [], rt.now().date(), "João", "cli:ana", rt.now())
