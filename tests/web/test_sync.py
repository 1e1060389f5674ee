"""Synchronisation: flows and limits in words, dead letters with their documents, and their replay with a preview."""

import json
from datetime import timedelta
from uuid import UUID

import adapters
from hub.http import sharers
from hub.model import Shipment, TrackingStatus
from hub.sandbox import Product
from hub.store import alerts, inbox, invariants, new_id, shipments
from tests.web.site import Site, site
from tests.world import Channel

CANECA = Product(sku="CANECA", title="Caneca <b>azul</b>", quantity=10, price_cents=3990)
PATH = "/sincronizacao/parados"
TROUBLED = '<p class="figure-name">Contas com problema</p><p class="figure-value bad-text">{}</p>'


async def shop(s: Site) -> Channel:
    """Two stores that sell the same."""
    made = await s.connect("woocommerce", [CANECA], name="Loja Um", seed=1)
    await s.connect("woocommerce", [CANECA], name="Loja Dois", seed=2)
    await s.w.open_stock(CANECA=10)
    return made


async def letter(
    s: Site, account_id: UUID, ref: str, *, error: str = "shape unreadable: total: <i>is no number</i>",
    raw: object = None, topic: str = "order",
) -> UUID:  # fmt: skip
    """A row of the inbox that is parked, with the alert that parking raises."""
    id_ = new_id()
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run(
            "INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, raw, state, error) "
            "VALUES (%s, %s, %s, 'webhook', %s, %s, %s, %s, 'parked', %s)",
            [tx.seller, id_, account_id, topic, ref, str(id_), json.dumps(raw).encode() if raw else None, error],
        )
        await alerts.raise_(tx, "inbox_parked", f"{account_id}/{topic}/{ref}", account="Loja Um", ref=ref, detail="?")
    return id_


async def states(s: Site) -> dict[UUID, str]:
    rows = await s.w.rows("SELECT id, state FROM inbox WHERE dedupe_key LIKE id || '%%'")
    return {row["id"]: row["state"] for row in rows}


async def park_slot(s: Site, made: Channel) -> None:
    """One slot's number was refused; its SKU has moved meanwhile."""
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await tx.run(
            "UPDATE stock_slot SET parked_code = 'em_revisao', parked_reason = 'produto em revisão', due_at = NULL "
            "WHERE account_id = %s",
            [made.account.id],
        )
    await s.w.open_stock(CANECA=4)


async def test_flows_are_told_by_account_with_the_last_error_and_the_way_out() -> None:
    async with site() as s:
        made = await shop(s)
        await made.buy("CANECA", 1)
        await s.w.settle()
        (two,) = await s.w.rows("SELECT id FROM account WHERE name = 'Loja Dois'")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "UPDATE task SET error = 'transient breaker_open: it failed', attempts = 3, "
                "due_at = now() - interval '3 hours' WHERE account_id = %s AND kind = 'poll'",
                [made.account.id],
            )
            await tx.run(
                "UPDATE task SET error = 'rejected 403: <b>plano</b> não permite' "
                "WHERE account_id = %s AND kind = 'listings'",
                [made.account.id],
            )
            for ref in ("1", "2"):
                await tx.run(
                    "INSERT INTO inbox (seller_id, id, account_id, source, topic, ref, dedupe_key, due_at, error) "
                    "VALUES (%s, %s, %s, 'webhook', 'order', %s, %s, now() + interval '1 h', %s)",
                    [tx.seller, new_id(), two["id"], ref, ref, inbox.TOGETHER],
                )
        await letter(s, made.account.id, "77")
        quiet = await s.signed_in("so@loja.example", role="viewer")
        page = (await quiet.get("/sincronizacao")).text
        assert (inbox.TOGETHER in page, TROUBLED.format(1) in page) == (False, True), "what only waits is no problem"
        wrong = "transient connect: loja.example: no connection"
        await s.w.rows("UPDATE inbox SET error = %s WHERE ref = '2' AND state = 'due' RETURNING id", wrong)
        page = (await quiet.get("/sincronizacao")).text
        assert (TROUBLED.format(2) in page, "loja.example não aceita conexão" in page) == (True, True)
        page = (await (await s.signed_in("olha@loja.example", role="viewer")).get("/sincronizacao")).text
        for words in (
            "Loja Um", "Loja Dois", "Números de estoque", "Busca de pedidos", "o hub o deixa descansar", "há 3 horas",
            "&lt;b&gt;plano&lt;/b&gt; não permite", "Corrija no canal o que ele aponta", "parados: 1",
            "Sem uso recente: 1.", f'id="flows-{made.account.id}"', 'id="feed"', "CANECA",
        ):  # fmt: skip
            assert words in page, words
        assert "Rastreio" not in page, "a storefront follows no parcel"
        english = (await (await s.signed_in("en@loja.example", locale="en")).get("/sincronizacao")).text
        assert "the hub leaves it alone for a while" in english
        assert "Last error and the way out" in english


async def test_limits_are_looked_at_and_not_taken_and_a_penalty_is_told() -> None:
    async with site() as s:
        made = await shop(s)
        throttle = s.w.rt.http.throttle
        (limit,) = adapters.get("woocommerce").limits
        names = sharers("woocommerce", made.account.id, None)
        await s.leave_tokens(made.account, limit.burst)
        await throttle.penalize(f"account:woocommerce:{made.account.id}", s.w.rt.now() + timedelta(seconds=90))
        reader = await s.signed_in()
        page = (await reader.get("/sincronizacao")).text
        assert "O canal mandou esperar mais" in page
        assert "o canal pediu para esperar" in page
        assert "Redis fora do ar" not in page
        assert "20 de 20 livres" in page
        assert "+20 por segundo" in page
        assert (await throttle.left([limit], names)).levels[0].tokens == limit.burst
        throttle._redis_down_until = throttle._clock() + 60
        assert "Redis fora do ar: contagem só deste processo" in (await reader.get("/sincronizacao")).text


async def test_a_held_account_is_no_slow_one_and_says_that_its_work_is_kept() -> None:
    async with site() as s:
        made = await shop(s)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "UPDATE account SET status = 'held', held_reason = 'chave revogada' WHERE id = %s", [made.account.id]
            )
            await tx.run("UPDATE task SET due_at = now() - interval '5 hours' WHERE account_id = %s", [made.account.id])
        page = (await (await s.signed_in()).get("/sincronizacao")).text
        assert "chave revogada" in page
        assert "o que está na fila fica guardado" in page
        assert "quando a conta voltar" in page
        assert 'class="bad-text"><time' not in page


async def test_a_replay_is_shown_first_and_then_done_and_its_alert_is_settled() -> None:
    async with site() as s:
        made = await shop(s)
        ref = await made.buy("CANECA", 2)
        await s.w.settle()
        id_ = await letter(s, made.account.id, ref)
        reader = await s.signed_in("op@loja.example", role="operator")
        listed = (await reader.get(PATH)).text
        assert "O hub não conseguiu ler. (unreadable)" in listed
        assert "total: &lt;i&gt;is no number&lt;/i&gt;" in listed
        assert "depois de atualizar o Balcão, repita" in listed
        shown = (await reader.get(f"{PATH}/previa?tipo=inbox&escopo=escolhidos&id={id_}")).text
        assert "ler de novo o pedido, hoje: pago, a despachar" in shown
        assert "Repetir 1" in shown
        assert (await states(s))[id_] == "parked", "a preview does nothing"
        unseen = await reader.post(f"{PATH}/repetir", tipo="inbox", ids=str(id_))
        assert unseen.status == 303
        assert (await states(s))[id_] == "parked"
        assert "Confirme que você viu" in (await reader.get(PATH)).text
        assert "inbox_parked" in await s.w.alerts()
        done = await reader.post(f"{PATH}/repetir", tipo="inbox", ids=str(id_), seen="yes")
        assert (done.status, done.headers["Location"]) == (303, f"{PATH}?tipo=inbox")
        await s.w.settle()
        assert (await states(s))[id_] == "done"
        assert "inbox_parked" not in await s.w.alerts()
        assert await s.w.level("CANECA") == (10, 2), "read twice, reserved once"
        page = (await reader.get(PATH)).text
        assert "De volta ao trabalho: 1." in page
        assert "Nada parado aqui" in page
        (noted,) = await s.w.rows("SELECT params FROM audit_log WHERE action = 'inbox_replay'")
        assert noted["params"] == {"rows": 1}


async def test_of_many_only_those_of_the_account_or_reason_or_choice_are_replayed() -> None:
    async with site() as s:
        one = await shop(s)
        two = s.w.channels[1]
        a = await letter(s, one.account.id, "1")
        b = await letter(s, one.account.id, "2", error="rejected 422: no")
        c = await letter(s, two.account.id, "3")
        d = await letter(s, two.account.id, "4", error="rejected 422: no")
        reader = await s.signed_in("op@loja.example", role="operator")
        filtered = (await reader.get(f"{PATH}?tipo=inbox&conta={one.account.id}&motivo=rejected+422")).text
        assert f"m-{b}" in filtered
        assert not any(f"m-{each}" in filtered for each in (a, c, d))
        assert "Repetir todos deste filtro (1)" in filtered
        due = {"due", "done", "kept"}
        await reader.post(f"{PATH}/repetir", tipo="inbox", conta=str(one.account.id), motivo="rejected 422", seen="yes")
        told = await states(s)
        assert told[b] in due
        assert {told[each] for each in (a, c, d)} == {"parked"}
        await reader.post(f"{PATH}/repetir", tipo="inbox", ids=f"{a}", conta=str(two.account.id), seen="yes")
        assert (await states(s))[a] == "parked", "chosen, but of another account than the filter's"
        await reader.post(f"{PATH}/repetir", tipo="inbox", ids=f"{c}", seen="yes")
        told = await states(s)
        assert (told[a], told[d]) == ("parked", "parked")
        assert told[c] in due
        await reader.post(f"{PATH}/repetir", tipo="inbox", seen="yes")
        assert "parked" not in (await states(s)).values()


async def test_a_slot_is_written_again_and_the_preview_tells_from_what_to_what() -> None:
    async with site() as s:
        made = await shop(s)
        await park_slot(s, made)
        assert made.shelf() == {"CANECA": 10}
        reader = await s.signed_in("op@loja.example", role="operator")
        listed = (await reader.get(PATH)).text
        assert "produto em revisão" in listed
        assert "o hub confere o número de lá antes de escrever" in listed
        shown = (await reader.get(f"{PATH}/previa?tipo=slot&escopo=todos")).text
        assert "10 → <b>4</b>" in shown
        await reader.post(f"{PATH}/repetir", tipo="slot", seen="yes")
        await s.w.settle()
        assert made.shelf() == {"CANECA": 4}
        assert "slot_parked" not in await s.w.alerts()


async def test_a_parcels_news_and_its_tracking_are_taken_up_again() -> None:
    async with site() as s:
        made = await shop(s)
        carrier = await s.connect("correios", [], name="Correios", approve=False)
        await made.buy("CANECA", 1)
        await s.w.settle()
        told = Shipment(
            ref="AA123456785BR", carrier="Correios", tracking_code="AA123456785BR", status=TrackingStatus.IN_TRANSIT
        )
        (order,) = await s.w.rows("SELECT id, account_id FROM orders")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            id_ = await shipments.add(tx, order["account_id"], order["id"], told, carrier.account.id, s.w.rt.now())
            await tx.run(
                "UPDATE shipment SET news_parked = 'rejected 400: código recusado', news_due_at = NULL, "
                "track_error = 'shape unreadable: x', track_attempts = 7, track_due_at = now() + interval '9 hours'"
            )
        reader = await s.signed_in("op@loja.example", role="operator")
        assert "código recusado" in (await reader.get(f"{PATH}?tipo=shipment")).text
        assert "AA123456785BR" in (await reader.get(f"{PATH}?tipo=tracking")).text
        assert "despachado, em trânsito" in (await reader.get(f"{PATH}/previa?tipo=shipment&escopo=todos")).text
        asked = (await reader.get(f"{PATH}/previa?tipo=tracking&escopo=todos")).text
        assert "perguntar de novo à transportadora" in asked
        await reader.post(f"{PATH}/repetir", tipo="shipment", ids=str(id_), seen="yes")
        await reader.post(f"{PATH}/repetir", tipo="tracking", ids=str(id_), seen="yes")
        row = await s.w.row(
            "SELECT news_parked, news_due_at, track_due_at <= now() AS asked, track_error FROM shipment"
        )
        assert row["news_parked"] is None
        assert row["news_due_at"] is not None
        assert (row["asked"], row["track_error"]) == (True, None)
        await s.w.rows("UPDATE shipment SET left_alone = 'ambiguous', carrier_account_id = NULL RETURNING id")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await alerts.raise_(tx, "parcel_ambiguous", str(id_), code="AA123456785BR", carrier="Correios", fits=[])
        page = (await reader.get(f"{PATH}?tipo=tracking")).text
        assert (f'form="f-{id_}"' in page, "balcao tracking" in page) == (True, False)
        await reader.post(f"{PATH}/{id_}/seguir", account=str(made.account.id))
        assert "essa conta não segue envios" in (await reader.get(PATH)).text
        await reader.post(f"{PATH}/{id_}/seguir", account=str(carrier.account.id))
        row = await s.w.row("SELECT left_alone, carrier_account_id FROM shipment")
        assert (row["left_alone"], row["carrier_account_id"]) == (None, carrier.account.id)
        assert "parcel_ambiguous" not in await s.w.alerts()


async def test_who_may_see_do_and_read_what() -> None:
    async with site() as s:
        made = await shop(s)
        raw = {
            "id": 9,
            "access_token": "segredo-do-canal",
            "buyer": {"name": "<b>Bia</b>"},
            "note": "Bearer abcdef123456",
        }
        id_ = await letter(s, made.account.id, "9", raw=raw)
        viewer = await s.signed_in("olha@loja.example", role="viewer")
        page = (await viewer.get(PATH)).text
        assert "O hub não conseguiu ler" in page
        assert "Repetir" not in page.split('id="conteudo"')[1].replace("corrija a causa e repita", "")
        assert "/sincronizacao/documentos/" not in page
        assert (await viewer.get(f"{PATH}/previa?tipo=inbox&escopo=todos")).status == 403
        assert (await viewer.post(f"{PATH}/repetir", tipo="inbox", seen="yes")).status == 403
        operator = await s.signed_in("op@loja.example", role="operator")
        assert "/sincronizacao/documentos/" not in (await operator.get(PATH)).text
        assert (await operator.get(f"/sincronizacao/documentos/{id_}")).status == 403
        manager = await s.signed_in("chefe@loja.example", role="manager")
        assert f"/sincronizacao/documentos/{id_}" in (await manager.get(PATH)).text
        document = (await manager.get(f"/sincronizacao/documentos/{id_}")).text
        assert "&lt;b&gt;Bia&lt;/b&gt;" in document
        assert "segredo-do-canal" not in document
        assert "abcdef123456" not in document
        assert (await states(s))[id_] == "parked"
        stranger = await s.signed_in("fora@outra.example", seller_id=await s.other_seller())
        assert (await stranger.get(f"/sincronizacao/documentos/{id_}")).status == 404
        assert "Nada parado aqui" in (await stranger.get(PATH)).text
        await stranger.post(f"{PATH}/repetir", tipo="inbox", ids=str(id_), seen="yes")
        assert (await states(s))[id_] == "parked"
        assert "Nada mais estava parado" in (await stranger.get(PATH)).text


async def test_what_names_nothing_is_refused_in_words() -> None:
    async with site() as s:
        made = await shop(s)
        id_ = await letter(s, made.account.id, "1")
        reader = await s.signed_in("op@loja.example", role="operator")
        for query in (
            "tipo=purchase&escopo=todos",
            "escopo=todos",
            "tipo=inbox&conta=x",
            "tipo=inbox&escopo=escolhidos&id=x",
        ):
            assert (await reader.get(f"{PATH}/previa?{query}")).status == 400, query
        for fields in ({"tipo": "purchase"}, {"tipo": "inbox", "ids": "x"}, {}, {"tipo": "inbox", "conta": "x"}):
            assert (await reader.post(f"{PATH}/repetir", **fields, seen="yes")).status == 400, fields
        none = await reader.get(f"{PATH}/previa?tipo=inbox&escopo=escolhidos")
        assert (none.status, none.headers["Location"]) == (303, f"{PATH}?tipo=inbox")
        assert "Marque ao menos um item" in (await reader.get(PATH)).text
        assert (await reader.get(f"{PATH}?tipo=nada&conta=x&apos=y")).status == 200
        reader.csrf = "de outra sessão"
        assert (await reader.post(f"{PATH}/repetir", tipo="inbox", seen="yes")).status == 403
        assert (await states(s))[id_] == "parked"


async def test_the_list_goes_on_by_keyset_and_each_is_seen_once() -> None:
    async with site() as s:
        made = await shop(s)
        made_ids = {await letter(s, made.account.id, str(n)) for n in range(53)}
        reader = await s.signed_in()
        seen: list[str] = []
        path: str | None = PATH
        while path and len(seen) < 200:
            page = (await reader.get(path)).text
            seen += [part.split('"')[0] for part in page.split('id="m-')[1:]]
            onward = page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0] if 'rel="next"' in page else None
            path = onward.replace("&amp;", "&") if onward else None
        assert len(seen) == len(set(seen)) == 53
        assert set(seen) == {str(each) for each in made_ids}


async def test_a_broken_promise_says_since_when_it_is_broken() -> None:
    async with site() as s:
        name = "I1 on_hand is the sum of its movements"
        broken = json.dumps([{"name": name, "rows": [{"sku_id": "x"}]}])
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            for hours, told in ((30, broken), (20, "[]"), (9, broken), (4, broken), (0, broken)):
                await tx.run(
                    "INSERT INTO invariant_check (seller_id, id, at, broken, broken_count) "
                    "VALUES (%s, %s, now() - %s * interval '1 hour', %s, %s)",
                    [tx.seller, new_id(), hours, told, int(told != "[]")],
                )
            since = await invariants.since(tx, name)
            assert since is not None
            assert timedelta(hours=8) < s.w.rt.now() - since < timedelta(hours=10)
            assert await invariants.since(tx, "I2 nothing") is None
        reader = await s.signed_in()
        page = (await reader.get("/saude")).text
        assert 'title="há 9 horas"' in page
        assert "não fecham: ver quais" in (await reader.get("/sincronizacao")).text
