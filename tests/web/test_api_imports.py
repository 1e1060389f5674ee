"""Sheets over the REST API, looked at before they are written and taken back; and how a SKU is replenished."""

from typing import Any

import pytest

from hub.store import suppliers
from jobs import kits
from tests.web.site import site
from tests.web.test_api import key
from tests.web.test_api_settings import ask


async def test_a_sheet_of_stock_is_looked_at_written_once_and_taken_back() -> None:
    async with site() as s:
        await s.w.open_stock(PRATO=5, VASO=2)
        reads, writes = await key(s, "stock:read"), await key(s, "stock:read", "stock:write")
        theirs = await key(s, "stock:read", "stock:write", seller_id=await s.other_seller())
        new: dict[str, Any] = {"kind": "stock", "csv": "sku;quantidade\nPRATO;8\nVASO;2\nCOPO;x\nNOVO;3\n"}
        once = {"Idempotency-Key": "a"}
        status, told = await ask(s, writes, "POST", "/uploads", new, **once)
        assert (status, told["good"], told["wrong"], told["changed"], told["made"]) == (201, 2, 2, 1, 0)
        assert (await ask(s, writes, "POST", "/uploads", new, **once))[1] == told
        assert [(each["line"], each["sentence"].split(":")[0]) for each in told["wrong_lines"]] == [
            (4, "Quantity x"), (5, "There is no SKU NOVO")
        ]  # fmt: skip
        assert [(each["sku"], each["before"], each["after"]) for each in told["stock_lines"]] == [("PRATO", 5, 8)]
        path = f"/uploads/{told['id']}"
        for sheet in ("", "quantidade\n1\n", "sku;sku;quantidade\nA;B;1\n"):
            status, problem = await ask(s, writes, "POST", "/uploads", {**new, "csv": sheet})
            assert (status, problem["errors"][0]["field"]) == (422, "csv"), sheet
        assert (await ask(s, reads, "POST", "/uploads", new))[0] == 403
        # Refused, it waits as it did, under its own id; then it is written, once.
        status, problem = await ask(s, writes, "POST", f"{path}/confirm", {})
        assert (status, "wrong" in problem["detail"]) == (409, True)
        for method, where in (("GET", path), ("DELETE", path), ("POST", f"{path}/confirm")):
            assert (await ask(s, theirs, method, where, {} if method == "POST" else None))[0] == 404, where
        status, done = await ask(s, writes, "POST", f"{path}/confirm", {"skip_bad": True})
        assert (status, done["written"], done["changed"], done["left"]) == (200, 2, 1, 0)
        assert (await ask(s, writes, "POST", f"{path}/confirm", {"skip_bad": True}))[0] == 404
        assert (await ask(s, writes, "GET", path))[0] == 404
        number = done["number"]
        lines = f"/imports/{number}/lines?limit=1"
        status, first = await ask(s, reads, "GET", lines)
        assert [(row["sku"], row["before"], row["after"]) for row in first["data"]] == [("PRATO", 5, 8)]
        assert [row["sku"] for row in (await ask(s, reads, "GET", f"{lines}&cursor={first['next']}"))[1]["data"]] == [
            "VASO"
        ]
        assert (await ask(s, writes, "POST", f"/imports/{number}/resume"))[1]["written"] == 2
        await s.w.open_stock(VASO=4)
        status, problem = await ask(s, writes, "POST", f"/imports/{number}/undo", {})
        assert (status, "VASO" in problem["detail"]) == (409, True)
        status, back = await ask(s, writes, "POST", f"/imports/{number}/undo", {"rest": True})
        assert (status, back["lines"]) == (200, 1)
        assert [(each["sku"], each["why"]) for each in back["left"]] == [("VASO", "counted")]
        stands = await s.w.rows("SELECT k.code, l.on_hand FROM stock_level l JOIN sku k ON k.id = l.sku_id ORDER BY 1")
        assert [(row["code"], row["on_hand"]) for row in stands] == [("PRATO", 5), ("VASO", 4)]
        assert (await ask(s, theirs, "POST", f"/imports/{number}/undo", {}))[0] == 404
        # Another, thrown away; and one of facts.
        _status, told = await ask(s, writes, "POST", "/uploads", {**new, "create": True, "mode": "add"})
        assert (await ask(s, writes, "DELETE", f"/uploads/{told['id']}"))[0] == 204
        facts = {"kind": "skus", "csv": "sku;nome;custo\nPRATO;Prato raso;12,50\nTACA;Taça;\n"}
        _status, told = await ask(s, writes, "POST", "/uploads", facts)
        assert [(each["sku"], each["before"], each["after"]) for each in told["sku_lines"]] == [
            ("PRATO", {"title": "", "cost_cents": None}, {"title": "Prato raso", "cost_cents": 1250}),
            ("TACA", None, {"title": "Taça"}),
        ]
        status, done = await ask(s, writes, "POST", f"/uploads/{told['id']}/confirm", {})
        assert (done["made"], done["changed"]) == (1, 1)
        _status, told = await ask(s, writes, "POST", "/uploads", facts)
        again = f"/uploads/{told['id']}/confirm"
        assert [(await ask(s, writes, "POST", again, {}))[0] for _ in range(2)] == [409, 409], "it changes nothing"
        listed = (await ask(s, reads, "GET", "/sku-imports"))[1]["data"]
        assert [(row["number"], row["made"]) for row in listed] == [(done["number"], 1)]
        undo = f"/sku-imports/{done['number']}/undo"
        assert (await ask(s, theirs, "POST", undo))[0] == 404
        assert (await ask(s, writes, "POST", undo))[1] == {"count": 2, "left": []}
        assert (await ask(s, writes, "POST", undo))[0] == 409
        assert [row["number"] for row in (await ask(s, reads, "GET", "/imports?limit=1"))[1]["data"]] == [number]


async def test_how_a_sku_is_replenished_is_read_and_changed() -> None:
    async with site() as s:
        await s.w.open_stock(PRATO=5)
        await kits.set_kit(s.w.rt, s.w.seller_id, "PAR", {"PRATO": 2}, create=True)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await suppliers.add(tx, "Vale")
        told = await key(s, "purchases:read", "purchases:write")
        path = "/skus/PRATO/replenishment"
        empty = (await ask(s, told, "GET", path))[1]
        assert (empty["supplier"], empty["order_multiple"], empty["active"]) == (None, 1, True)
        change = {"supplier": "Vale", "lead_time_days": 2.5, "service_level_percent": 97.5, "order_multiple": 6,
                  "handling": "median", "safety_stock": 4}  # fmt: skip
        status, now = await ask(s, told, "PATCH", path, change)
        assert (status, now) == (200, {**empty, **change})
        kept = await s.w.row("SELECT service_level, lead_time_days FROM sku_replenishment")
        assert (float(kept["service_level"]), float(kept["lead_time_days"])) == pytest.approx((0.975, 2.5))
        status, now = await ask(s, told, "PATCH", path, {"supplier": None, "safety_stock": None, "active": False})
        assert (now["supplier"], now["safety_stock"], now["active"], now["order_multiple"]) == (None, None, False, 6)
        for field, body in (
            ("supplier", {"supplier": "Ninguém"}),
            ("active", {"active": None}),
            ("order_multiple", {"order_multiple": None}),
            ("service_level_percent", {"service_level_percent": 100}),
        ):
            status, problem = await ask(s, told, "PATCH", path, body)
            assert (status, problem["errors"][0]["field"]) == (422, field)
        assert (await ask(s, told, "GET", path))[1] == now, "what is refused changes nothing"
        assert (await ask(s, told, "PATCH", "/skus/PAR/replenishment", {"active": False}))[0] == 404
        assert (await ask(s, told, "GET", "/skus/NADA/replenishment"))[0] == 404
