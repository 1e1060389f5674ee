"""The audit's page and the health page: what they say, who may decide, and what then happens."""

import psycopg

from hub.backoffice import invariants
from hub.sandbox import Product
from hub.store import accounts
from jobs import prove
from tests.web.site import Site, site
from tests.world import Channel

CANECA = Product(sku="CANECA", title="Caneca <b>azul</b>", quantity=10, price_cents=3990)


async def proposed(s: Site) -> Channel:
    """Two stores; somebody lowered a number in the second, and a person is asked."""
    await s.connect("woocommerce", [CANECA], name="Uma", seed=1)
    two = await s.connect("woocommerce", [CANECA], name="Outra", seed=2)
    await s.w.open_stock(CANECA=10)
    await s.w.pass_time()
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        await accounts.settle_settings(tx, two.account.id, drift={"external_edit_down": "propose"})
    vars(two.sandbox)["by_sku"]["CANECA"].units = 3
    await s.w.hurry("reconcile")
    await s.w.settle()
    return two


async def test_a_proposal_is_told_in_words_and_put_right_by_a_click() -> None:
    async with site() as s:
        two = await proposed(s)
        (row,) = await s.w.rows("SELECT id FROM drift")
        reader = await s.signed_in("op@loja.example", role="operator")
        panel = (await reader.get("/")).text
        assert "diferenças que esperam você decidir: 1" in panel
        page = (await reader.get("/conferencia?estado=proposed")).text
        assert "Caneca &lt;b&gt;azul&lt;/b&gt;" in page
        assert "nenhum pedido explica" in page
        assert "Deixar como está" in page
        assert "veja a conferência" in (await reader.get("/anuncios?estado=different")).text
        answer = await reader.post(f"/conferencia/{row['id']}/aceitar", next="/conferencia?estado=proposed")
        assert (answer.status, answer.headers["Location"]) == (303, "/conferencia?estado=proposed")
        await s.w.settle()
        assert two.shelf() == {"CANECA": 10}
        assert "Nada difere" in (await reader.get("/conferencia?estado=proposed")).text
        (row,) = await s.w.rows("SELECT decided_by FROM drift")
        assert row["decided_by"].startswith("web:")


async def test_several_are_decided_at_once_with_their_evidence_and_by_the_accounts_own_rules() -> None:
    async with site() as s:
        two = await proposed(s)
        (row,) = await s.w.rows("SELECT id FROM drift")
        manager = await s.signed_in("ger@loja.example", role="manager")
        page = (await manager.get("/conferencia?classe=external_edit")).text
        assert "Lido no canal: 3. Pelas nossas contas mostraria 10." in page
        assert "O hub ainda não escreveu neste anúncio." in page
        assert "Nada difere" in (await manager.get("/conferencia?classe=gone")).text
        assert (await manager.get("/conferencia?classe=nada&estado=x&apos=y")).status == 200
        other = str(row["id"])[:-4] + "ffff"
        await manager.post("/conferencia/aceitar", **{f"d:{row['id']}": "yes", f"d:{other}": "yes"})
        page = (await manager.get("/conferencia?estado=repairing")).text
        assert "O hub corrige agora: 1. Não foi feito: Esta diferença não existe mais." in page
        assert "decidiu: Ana Lima" in page
        await manager.post("/conferencia/aceitar")
        assert "Marque de 1 a 100 diferenças" in (await manager.get("/conferencia")).text
        assert (await manager.post("/conferencia/dispensar", **{"d:x": "yes"})).status == 400

        rules = f"/conferencia/regras/{two.account.id}"
        assert "deixar e anotar" in (await manager.get("/conferencia/regras")).text
        await manager.post(rules, external_edit_down="ignore", gone="propose")
        assert (await s.w.account(two)).settings["drift"] == {"external_edit_down": "ignore", "gone": "propose"}
        await manager.post(rules, gone="repair")
        assert "Escolha o que fazer com cada classe." in (await manager.get("/conferencia/regras")).text
        operator = await s.signed_in("op@loja.example", role="operator")
        assert (await operator.post(rules, gone="ignore")).status == 403
        assert (await s.w.account(two)).settings["drift"]["gone"] == "propose"


async def test_a_dismissed_one_stays_and_cannot_be_sent_elsewhere() -> None:
    async with site() as s:
        two = await proposed(s)
        (row,) = await s.w.rows("SELECT id FROM drift")
        reader = await s.signed_in("op@loja.example", role="operator")
        await reader.get("/conferencia")
        answer = await reader.post(f"/conferencia/{row['id']}/dispensar", next="https://example.com/")
        assert answer.headers["Location"] == "/conferencia"
        await s.w.settle()
        assert two.shelf() == {"CANECA": 3}
        assert "deixada como está" in (await reader.get("/conferencia")).text


async def test_a_viewer_sees_and_does_not_decide_and_another_seller_sees_nothing() -> None:
    async with site() as s:
        await proposed(s)
        (row,) = await s.w.rows("SELECT id FROM drift")
        viewer = await s.signed_in("olha@loja.example", role="viewer")
        page = (await viewer.get("/conferencia")).text
        assert "nenhum pedido explica" in page
        assert "Deixar como está" not in page
        assert (await viewer.post(f"/conferencia/{row['id']}/aceitar")).status == 403
        assert (await s.w.row("SELECT state FROM drift"))["state"] == "proposed"


async def test_the_health_page_says_what_holds_and_what_does_not() -> None:
    async with site() as s:
        two = await proposed(s)
        reader = await s.signed_in()
        assert "Ainda não houve uma verificação" in (await reader.get("/saude")).text
        await prove.prove(s.w.rt)
        page = (await reader.get("/saude")).text
        assert "tudo fecha" in page
        assert "mudança de fora: 1" in page
        assert f'/conferencia?conta={two.account.id}"' in page
        with psycopg.connect(s.w.url, autocommit=True) as conn:
            conn.execute("UPDATE stock_level SET on_hand = on_hand + 1")
            conn.execute("UPDATE stock_slot SET due_at = now() - interval '3 hours', held = NULL")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await invariants.check(tx)
        page = (await reader.get("/saude")).text
        assert "O físico de um SKU não é a soma dos seus movimentos." in page
        assert "há números que não fecham" in page
        assert "há 3 horas" in page
        english = await s.signed_in("en@loja.example", locale="en")
        page = (await english.get("/saude")).text
        assert "A SKU&#39;s stock on hand is not the sum of its movements." in page
        assert "Numbers to write to channels" in page
