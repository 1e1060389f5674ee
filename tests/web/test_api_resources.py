"""What the API tells of a shop that sells, and what it changes: true to the rows, people only where the key may."""

from datetime import timedelta
from typing import Any

from hub.sandbox import Product
from tests.web.site import Site, site
from tests.web.test_api import key
from tests.web.test_api_framework import Program

SHELF = [
    Product(sku="CANECA/AZUL", title="Caneca azul", quantity=9, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
]


async def program(s: Site, *scopes: str) -> Program:
    return Program(s, await key(s, *scopes))


async def got(p: Program, path: str) -> Any:
    status, told, _headers = await p.ask("GET", path)
    assert status == 200, (path, told)
    return told


async def sold(s: Site) -> Any:
    store = await s.connect("woocommerce", SHELF, name="Loja da Ana", seed=1)
    await s.w.open_stock(**{"CANECA/AZUL": 9})
    await store.buy("CANECA/AZUL", 2)
    await store.buy("PRATO", 2)
    await s.w.settle()
    await s.w.open_stock(PRATO=1)  # one fewer than was sold
    await s.until("SELECT FROM shortage")
    return store


async def test_orders_are_told_whole_and_buyers_only_where_the_key_may() -> None:
    async with site() as s:
        await sold(s)
        p, q = await program(s, "orders:read"), await program(s, "orders:read", "customers:read")
        told = (await got(p, "/orders"))["data"]
        oldest, newest = sorted(told, key=lambda order: str(order["lines"][0]["sku"]))
        assert (oldest["lines"][0]["linked_sku"], oldest["lines"][0]["quantity"], oldest["short"]) == (
            "CANECA/AZUL", 2, 0,
        )  # fmt: skip
        assert (newest["short"], newest["channel"], newest["currency"]) == (1, "woocommerce", "BRL")
        assert (newest["buyer"], newest["ship_to"]) == (None, None)
        named = await got(q, f"/orders/{newest['id']}")
        assert named["buyer"]["name"]
        assert named["ship_to"]["postal_code"].isdigit()
        assert [each["quantity"] for each in named["shortages"]] == [1]
        assert [each["sku"] for each in (await got(p, f"/orders/{oldest['id']}"))["reservations"]] == ["CANECA/AZUL"]
        for name in filter(None, (named["buyer"]["name"], named["buyer"]["email"])):
            for path in ("/orders", f"/orders/{newest['id']}", f"/orders/{newest['id']}/timeline", "/deadlines"):
                assert name not in str(await got(p, path)), path
        kinds = {each["kind"] for each in (await got(p, f"/orders/{newest['id']}/timeline"))["data"]}
        assert {"event", "notice"} <= kinds
        # By its number, by status, by account, and another's cursor.
        assert [each["id"] for each in (await got(p, f"/orders?number={newest['number']}"))["data"]] == [newest["id"]]
        assert [each["id"] for each in (await got(p, "/orders?status=short"))["data"]] == [newest["id"]]
        assert len((await got(p, f"/orders?account={newest['account_id']}&status=open"))["data"]) == 2
        (shortage,) = (await got(p, "/shortages?state=open"))["data"]
        told = await got(p, f"/shortages/{shortage['id']}")
        assert (told["sku"], told["short"], bool(told["verdict"])) == ("PRATO", 1, True)


async def test_changes_are_followed_in_their_order_without_missing_one() -> None:
    async with site() as s:
        await sold(s)
        p = await program(s, "orders:read")
        first, second = await s.w.rows("SELECT id, ref FROM orders ORDER BY placed_at")
        now = s.w.rt.now()
        await s.w.rows("UPDATE orders SET updated_at = %s RETURNING id", now + timedelta(minutes=1))
        assert (await got(p, "/orders?sort=updated"))["data"] == [], "what is just being committed comes a little later"
        for row, minutes in ((first, 2), (second, 9)):
            at = now - timedelta(minutes=minutes)
            await s.w.rows("UPDATE orders SET updated_at = %s WHERE id = %s RETURNING id", at, row["id"])
        page = await got(p, "/orders?sort=updated&limit=1")
        assert [each["ref"] for each in page["data"]] == [second["ref"]]
        rest = await got(p, f"/orders?sort=updated&limit=1&cursor={page['next']}")
        assert ([each["ref"] for each in rest["data"]], rest["next"]) == ([first["ref"]], None)
        since = (now - timedelta(minutes=3)).isoformat().replace("+00:00", "Z")
        assert [each["ref"] for each in (await got(p, f"/orders?sort=updated&updated_since={since}"))["data"]] == [
            first["ref"]
        ]
        assert (await p.ask("GET", f"/orders?sort=placed&cursor={page['next']}"))[0] == 422


async def test_stock_is_counted_adjusted_buffered_and_linked() -> None:
    async with site() as s:
        store = await sold(s)
        p = await program(
            s, "stock:read", "stock:write", "listings:read", "listings:write", "accounts:read", "accounts:write",
            "sync:read", "shipments:read",
        )  # fmt: skip
        code = "CANECA%2FAZUL"
        asked = {"delta": -1, "note": "quebrou", "reference": "q-1"}
        done = [(await p.ask("POST", f"/skus/{code}/adjust", asked))[1] for _ in range(2)]
        assert [(each["before"], each["after"], each["repeated"]) for each in done] == [(9, 8, False), (0, 0, True)]
        status, told, _ = await p.ask("POST", f"/skus/{code}/count", {"units": 20}, Idempotency_Key="c1")
        assert (status, told["before"], told["after"], told["delta"]) == (200, 8, 20, 12)
        assert (await p.ask("POST", f"/skus/{code}/count", {"units": 20}, Idempotency_Key="c1"))[1] == told
        moves = (await got(p, f"/skus/{code}/movements"))["data"]
        assert [each["delta"] for each in moves] == [12, -1, 9]
        assert {each["made_by"].split(":")[0] for each in moves[:2]} == {"api"}
        assert (await p.ask("POST", f"/skus/{code}/adjust", {"delta": -99, "note": "x"}))[0] == 409
        await s.w.settle()
        assert store.shelf()["CANECA/AZUL"] == 18
        # A buffer holds back at once, and lets go.
        rule = {"scope": "sku", "ref": "CANECA/AZUL", "kind": "units"}
        status, told, _ = await p.ask("POST", "/buffers/preview", {**rule, "value": 18})
        assert (status, told["count"], told["zeros"][0]["to_zero"]) == (200, 1, 1)
        assert (await got(p, "/buffers"))["data"] == []
        status, told, _ = await p.ask("PUT", "/buffers", {**rule, "value": 5})
        assert (status, told["count"]) == (200, 1)
        assert [(each["before"], each["after"]) for each in told["changes"]] == [(18, 13)]
        (buffer,) = (await got(p, "/buffers"))["data"]
        assert (buffer["state"], buffer["ref"], buffer["value"]) == ("in_force", "CANECA/AZUL", 5)
        assert (await p.ask("DELETE", f"/buffers/{buffer['id']}"))[0] == 200
        assert (await p.ask("DELETE", f"/buffers/{buffer['id']}"))[0] == 404
        status, told, _ = await p.ask("PUT", "/buffers", {"scope": "channel", "kind": "units", "value": 1})
        assert (status, told["errors"][0]["field"]) == (422, "account")
        # SKUs and links.
        put = {"title": "Caneca azul-marinho", "gtin": "7891000315507", "category": "canecas"}
        assert (await p.ask("PUT", f"/skus/{code}", put))[1]["category"] == "canecas"
        assert (await p.ask("PUT", f"/skus/{code}", {**put, "gtin": "7891000315508"}))[1]["errors"][0][
            "field"
        ] == "gtin"
        assert [each["code"] for each in (await got(p, "/skus?category=canecas"))["data"]] == ["CANECA/AZUL"]
        (listing,) = [each for each in (await got(p, "/listings"))["data"] if each["sku"] == "PRATO"]
        assert (await p.ask("DELETE", f"/listings/{listing['id']}/link"))[0] == 204
        assert (await got(p, f"/listings/{listing['id']}"))["sku"] is None
        (waits,) = (await got(p, "/link-suggestions"))["data"]
        assert (waits["listing_id"], waits["suggestions"][0]["sku"]) == (listing["id"], "PRATO")
        status, told, _ = await p.ask("PUT", f"/listings/{listing['id']}/link", {"sku": "PRATO", "multiplier": 2})
        assert (status, told["sku"], told["multiplier"]) == (200, "PRATO", 2)
        assert (await p.ask("PUT", f"/listings/{listing['id']}/link", {"sku": "NADA"}))[0] == 409
        # Accounts.
        (account,) = (await got(p, "/accounts"))["data"]
        path = f"/accounts/{account['id']}"
        assert (await p.ask("POST", f"{path}/pause", {"reason": "férias"}))[1]["status"] == "paused"
        assert (await p.ask("POST", f"{path}/resume"))[1]["status"] == "live"
        checked = (await p.ask("POST", f"{path}/check"))[1]
        assert (checked["ok"], checked["problem"]) == (True, None)
        assert {each["name"] for each in (await got(p, "/channels"))["data"]} >= {"woocommerce", "correios"}
        assert "consumer_secret" not in str(account)
        health = await got(p, "/health")
        assert {each["lane"] for each in health["lanes"]} >= {"intake", "stock"}
        rows = await s.w.rows("SELECT DISTINCT made_by FROM stock_movement WHERE made_by LIKE 'api:%%'")
        assert len(rows) == 1
