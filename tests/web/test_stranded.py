"""A disconnected account's open orders: found where a seller would look, and settled by a manager with a reason."""

from hub.sandbox import Product
from hub.store import order_desk
from jobs import roles
from tests.web.site import site
from tests.web.test_api import key
from tests.web.test_api_settings import ask

CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=20, price_cents=3990)


async def test_open_orders_of_a_disconnected_account_are_shown_then_settled() -> None:
    async with site() as s:
        store = await s.connect("woocommerce", [CANECA], name="Loja antiga", seed=1)
        await s.w.open_stock(CANECA=10)
        refs = [await store.buy("CANECA", units) for units in (1, 2, 3)]
        await s.w.settle()
        ids = [str((await s.w.order(ref))["id"]) for ref in refs]
        ana = await s.signed_in()
        path = f"/contas/{store.account.id}"
        assert (await ana.get(f"{path}/abertos")).status == 404, "its channel tells"
        told = await key(s, "orders:read", "orders:write", "accounts:connect")
        where = f"/accounts/{store.account.id}/open-orders"
        by_hand = {"outcome": "cancelled", "reason": "loja encerrada", "orders": [ids[0]]}
        assert (await ask(s, told, "POST", f"{where}/settle", by_hand))[0] == 409
        await roles.close(s.w.rt, store.account)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await order_desk.mark(tx, [(await s.w.order(refs[2]))["id"]], "packed", "Bia", s.w.rt.now())

        # Where a seller would look: the account, and the order.
        page = (await ana.get(path)).text
        assert "Seguram 6 unidades" in page
        assert f"{path}/abertos" in page
        assert "A conta está desligada" in (await ana.get(f"/pedidos/{ids[0]}")).text
        listed = (await ana.get(f"{path}/abertos")).text
        assert all(f"o:{id_}" in listed for id_ in ids)
        assert "embalado" in listed

        # What lacks is named, and what was typed stays.
        first = {f"o:{ids[0]}": "yes", "which": "chosen"}
        for form, sentence in (
            ({**first, "reason": "fechou"}, "Diga o que houve com eles."),
            ({**first, "outcome": "cancelled", "reason": " "}, "Diga por quê"),
            ({"which": "chosen", "outcome": "cancelled", "reason": "fechou"}, "Marque pelo menos um"),
        ):
            answer = await ana.post(f"{path}/abertos", **form)
            assert (answer.status, sentence in answer.text) == (400, True), sentence
            assert form["reason"] == " " or 'value="fechou"' in answer.text
        assert (await ana.post(f"{path}/abertos", **{"o:1": "yes", "which": "chosen"})).status == 400
        clerk = await s.signed_in("bia@loja.example", "operator", name="Bia")
        every = {"which": "all", "outcome": "cancelled", "reason": "loja encerrada"}
        assert (await clerk.post(f"{path}/abertos", **every, sure="yes")).status == 403
        assert 'name="outcome"' not in (await clerk.get(f"{path}/abertos")).text

        # Shown first; then done, but for what may still be sent.
        seen = await ana.post(f"{path}/abertos", **first, outcome="sent", reason="saiu na sexta")
        assert "saem do estoque: 1" in seen.text
        assert await s.w.level("CANECA") == (10, 6), "nothing is done yet"
        await ana.post(f"{path}/abertos", **first, outcome="sent", reason="saiu na sexta", sure="yes")
        assert await s.w.level("CANECA") == (9, 5)
        seen = await ana.post(f"{path}/abertos", **every)
        assert "voltam à venda: 2" in seen.text
        assert "Pagos, com comprador esperando: 1" in seen.text
        assert "está embalado: desfaça isso" in seen.text
        done = await ana.post(f"{path}/abertos", **every, sure="yes")
        assert done.headers["Location"] == f"{path}/abertos", "one is left"
        page = (await ana.get(f"{path}/abertos")).text
        assert "Pedidos acertados: 1." in page
        assert (ids[1] in page, ids[2] in page) == (False, True)
        assert await s.w.level("CANECA") == (9, 3)
        story = (await ana.get(f"/pedidos/{ids[1]}")).text
        assert "Acertado à mão" in story
        assert "loja encerrada" in story
        assert (await clerk.post(f"/pedidos/{ids[1]}/reabrir")).status == 403
        await ana.post(f"/pedidos/{ids[1]}/reabrir")
        assert "está aberto de novo" in (await ana.get(f"/pedidos/{ids[1]}")).text
        assert await s.w.level("CANECA") == (9, 5)
        await ana.post(f"{path}/abertos", **every, sure="yes")
        assert await s.w.level("CANECA") == (9, 3)

        # The same over the API, which asks for both scopes and for which orders are meant.
        modest = await key(s, "orders:read", "orders:write")
        assert (await ask(s, modest, "POST", f"{where}/settle", {**by_hand, "orders": None, "all": True}))[0] == 403
        status, problem = await ask(s, told, "POST", f"{where}/settle", {**by_hand, "orders": None})
        assert (status, problem["errors"][0]["field"]) == (422, "orders")
        (row,) = (await ask(s, told, "GET", where))[1]["data"]
        assert (row["id"], row["units"], row["packed"], row["followed"]) == (ids[2], 3, True, None)
        _status, kept = await ask(s, told, "POST", f"{where}/settle", {**by_hand, "orders": [ids[2]]})
        assert (kept["settled"], kept["left"], [each["why"] for each in kept["stays"]]) == (0, 1, ["packed"])
        sent = {"outcome": "sent", "reason": "saiu", "all": True}
        _status, kept = await ask(s, told, "POST", f"{where}/settle", sent)
        assert (kept["settled"], kept["left"]) == (1, 0)
        assert await s.w.level("CANECA") == (6, 0)
        await s.w.kept()
        actors = [
            row["actor"]
            for row in await s.w.rows("SELECT actor FROM audit_log WHERE action = 'order_settle' ORDER BY id")
        ]
        assert [actor.partition(":")[0] for actor in actors] == ["web"] * 4 + ["api"]
