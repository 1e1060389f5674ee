"""Políticas: each decision is shown before it is made, kept by the flow that the terminal uses, and logged."""

import re

import pytest

from hub.holds import hold_of
from hub.model import Status
from hub.sandbox import Product
from hub.store import accounts, deadlines, freight, policies, replenishment, warehouses
from jobs import policies as flow
from jobs.connect import Refused
from jobs.freight_buy import sender_of
from tests.flows.test_mails import Post, post, use  # noqa: F401 - a fixture
from tests.web.site import Reader, Site, site

HOME = "/configuracoes/politicas"
SHIPPING = {
    "state": "SP", "stuck_days": "4", "loss_days": "12", "pickup_days": "7", "link_days": "30", "quiet_from": "22:00",
    "quiet_to": "07:00",
}  # fmt: skip
DEFAULTS = {
    "service_level": "97,5", "lead_time_days": "14", "review_days": "10", "window_days": "90", "handling": "median",
    "returns_reduce": "no",
}  # fmt: skip


async def changed(reader: Reader, path: str, **fields: str) -> str:
    """What the page shows before a change; then the change is made."""
    seen = await reader.post(path, **fields)
    assert seen.status == 200, seen.text
    assert "nada mudou ainda" in seen.text
    told = dict(
        re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', seen.text.partition("h-alcance")[2])
    )
    assert told.pop("sure") == "yes"
    assert {name: told[name] for name in told if name != "csrf"}.keys() == fields.keys()
    done = await reader.post(path, **{**told, "sure": "yes"})
    assert done.status == 303, done.text
    return seen.text


async def audited(s: Site) -> list[str]:
    rows = await s.w.rows("SELECT action, actor FROM audit_log WHERE actor LIKE 'web:%%' ORDER BY id")
    return [row["action"] for row in rows]


async def test_what_the_shop_decides_is_shown_then_done_and_logged() -> None:
    async with site() as s:
        await s.connect("woocommerce", [Product(sku="CAN", title="Caneca", quantity=5, price_cents=100)])
        await s.w.open_stock(CAN=5)
        ana = await s.signed_in()
        page = (await ana.get(HOME)).text
        assert "30 dias" in page, "raw documents"
        before = await ana.post(f"{HOME}/divisao", split="order")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            assert await policies.split(tx) == "units", "nothing is done yet"
        assert "SKUs cujo estoque nos canais é recalculado: 1." in before.text
        assert "o pedido inteiro sai de um depósito" in await changed(ana, f"{HOME}/divisao", split="order")
        seen = await changed(ana, f"{HOME}/envio", **SHIPPING)
        assert "Envios a caminho olhados de novo: 0." in seen
        assert "5 dias" in seen
        await changed(ana, f"{HOME}/frete", rule="cheapest", declares="no")
        assert "30%" not in await changed(ana, f"{HOME}/freio", share="50")
        assert "97,5%" in await changed(ana, f"{HOME}/reposicao", **DEFAULTS)
        code = (await s.w.row("SELECT code FROM warehouse"))["code"]
        await changed(ana, f"{HOME}/depositos", **{f"rank:{code}": "7"})
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            assert await policies.split(tx) == "order"
            told = await deadlines.shipping(tx)
            assert (told["state"], told["stuck_days"], told["quiet"]) == ("SP", 4, "22:00-07:00")
            assert await freight.policy(tx, None) | {"rule": "cheapest", "declares": False} == await freight.policy(
                tx, None
            )
            assert await policies.brake_share(tx, 0.3) == 0.5
            known = await replenishment.defaults(tx)
            assert (known.service_level, known.review_days, known.handling) == (0.975, 10, "median")
            assert [row["rank"] for row in await warehouses.every(tx)] == [7]
        assert await audited(s) == [
            "split", "seller_shipping", "freight_policy", "zero_brake_share", "replenishment_defaults",
            "warehouse_edit",
        ]  # fmt: skip
        await sender_and_volumes(s, ana)
        await changed(ana, f"{HOME}/freio", share="")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            assert await policies.brake_share(tx, 0.3) == 0.3
        same = await ana.post(f"{HOME}/divisao", split="order")
        assert same.status == 303
        assert "Nada mudou." in (await ana.get(HOME)).text
        for group, fields, sentence in (
            ("divisao", {"split": "pieces"}, "Escolha uma das opções."),
            ("envio", {**SHIPPING, "loss_days": "4"}, "precisa vir depois do parado"),
            ("envio", {**SHIPPING, "stuck_days": "muitos"}, "Escreva um número inteiro de 1 a 90."),
            ("envio", {**SHIPPING, "quiet_to": "tarde"}, "Escreva uma hora"),
            ("freio", {"share": "3"}, "Escreva um número inteiro de 5 a 100."),
            ("reposicao", {**DEFAULTS, "service_level": "100"}, "de 50 a 99,9."),
            ("depositos", {f"rank:{code}": "-1"}, "de 0 a"),
        ):
            answer = await ana.post(f"{HOME}/{group}", **{**fields, "sure": "yes"})
            assert (answer.status, sentence in answer.text) == (400, True), (group, sentence)
            assert "aria-invalid" in answer.text
        assert (await ana.post(f"{HOME}/nenhum", x="1")).status == 404
        with pytest.raises(Refused):
            await flow.set_brake_share(s.w.rt, s.w.seller_id, 0.01)


SENDER = {
    "name": "Ana Lima", "document": "529.982.247-25", "phone": "(11) 91234-5678", "postal_code": "01310-100",
    "street": "Av. Paulista", "number": "1000", "complement": "", "district": "", "city": "São Paulo", "state": "SP",
}  # fmt: skip
VOLUMES = {"most_g": "10000", "side_mm": "700", "sum_mm": "", "tare_g": "120"}


async def sender_and_volumes(s: Site, ana: Reader) -> None:
    """Who sends, and what goes into one volume: shown, kept bare, refused by field, and taken back."""
    for wrong, field, sentence in (
        ({"document": "529.982.247-24"}, "document", "Não é um CPF ou CNPJ válido"),
        ({"phone": "ramal 12"}, "phone", "Não é um telefone"),
        ({"postal_code": "1310"}, "postal_code", "Não é um CEP"),
        ({"postal_code": "80010-000"}, "postal_code", "Este CEP é de outro estado"),
        ({"street": ""}, "street", "Falta preencher"),
    ):
        answer = await ana.post(f"{HOME}/remetente", **{**SENDER, **wrong, "sure": "yes"})
        assert (answer.status, sentence in answer.text, answer.text.count("aria-invalid")) == (400, True, 1), field
        assert 'value="Av. Paulista"' in answer.text or field == "street", "what was typed stays"
    narrow = await ana.post(f"{HOME}/volumes", **{**VOLUMES, "sum_mm": "600", "sure": "yes"})
    assert (narrow.status, "não pode ser menor que o maior lado" in narrow.text) == (400, True)
    seen = await ana.post(f"{HOME}/remetente", **SENDER)
    assert "52998224725" in seen.text
    assert "Pedidos pagos e ainda não despachados: 0." in seen.text
    bare = {**SENDER, "document": "52998224725", "phone": "+5511912345678", "postal_code": "01310100"}
    for told, group in ((bare, "remetente"), (VOLUMES, "volumes")):
        assert (await ana.post(f"{HOME}/{group}", **told, sure="yes")).status == 303
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        kept = await freight.policy(tx, None)
        party = sender_of(kept)
        assert (party.document, party.phone, party.address.postal_code) == ("52998224725", "+5511912345678", "01310100")
        assert (kept["most_g"], kept["side_mm"], kept["sum_mm"], kept["tare_g"]) == (10_000, 700, None, 120)
        assert kept["rule"] == "cheapest", "the other words of the same row stay"
    logged = await s.w.rows("SELECT params::text AS told FROM audit_log WHERE action = 'freight_policy'")
    assert any("Ana Lima, 01310100" in row["told"] for row in logged)
    assert not any("52998224725" in row["told"] for row in logged)
    assert (await ana.post(f"{HOME}/remetente", **dict.fromkeys(SENDER, ""), sure="yes")).status == 303
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        assert (await freight.policy(tx, None))["sender"] is None
    clerk = await s.signed_in("bia@loja.example", "operator", name="Bia")
    assert (await clerk.post(f"{HOME}/remetente", **SENDER)).status == 403


async def test_an_account_has_rules_of_its_own(post: Post) -> None:  # noqa: F811 - the fixture
    async with site() as s:
        one = await s.connect("woocommerce", [Product(sku="CAN", title="Caneca", quantity=5, price_cents=100)])
        carrier = await s.connect("correios", [])
        ana = await s.signed_in()
        rules = f"/contas/{one.account.id}/regras"
        assert rules in (await ana.get(f"/contas/{one.account.id}")).text
        assert (await ana.get(f"/contas/{carrier.account.id}/regras")).status == 404
        page = (await ana.get(rules)).text
        assert "Quando um pedido reserva estoque" in page
        await s.w.open_stock(CAN=5)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await warehouses.warehouse_add(tx, "galpao", "Galpão", rank=50)
        await one.buy("CAN", 1)
        await s.w.settle()
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE orders SET status = 'placed'")
        seen = await changed(ana, f"{rules}/reserva", since="paid", hours="48")
        assert "Pedidos não pagos recalculados agora, com as reservas deles: 1." in seen
        assert "como este hub foi instalado" in seen
        await changed(ana, f"{rules}/despacho", handling_days="1", cutoff="14:00", leaves_at="17:30")
        drift = {
            "lost_push": "repair", "external_edit_up": "propose", "external_edit_down": "repair",
            "wrong_link": "propose", "unmanaged": "propose", "paused": "ignore", "gone": "ignore",
        }  # fmt: skip
        await changed(ana, f"{rules}/conferencia", **drift)
        codes = [row["code"] for row in await s.w.rows("SELECT code FROM warehouse ORDER BY rank, code")]
        draws = {f"draws:{code}": "yes" if code == "galpao" else "" for code in codes}
        assert "SKUs cujo estoque" in await changed(ana, f"{rules}/estoque", split="line", **draws)
        await changed(ana, f"{rules}/frete", rule="fastest", declares="")
        mail = {"on": "yes", "relays": "no", "locale": "en", "reply_to": "sac@loja.example"}
        assert "BALCAO_SMTP_URL" in (await ana.post(f"{rules}/email", **mail)).text
        use(s.w, f"smtp://127.0.0.1:{post.port}")
        await changed(ana, f"{rules}/email", **mail)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            told = (await accounts.get(tx, one.account.id)).settings
            hold = hold_of(told, Status.PLACED)
            assert (hold.since, hold.unpaid_hours) == (Status.PAID, 48)
            assert (told["handling_days"], told["cutoff"], told["leaves_at"]) == (1, "14:00", "17:30")
            assert told["drift"] == {"external_edit_up": "propose"}
            assert await policies.draws(tx, one.account.id) == ["galpao"]
            assert await policies.split(tx, one.account.id) == "line"
            assert (await policies.own_freight(tx, one.account.id))["rule"] == "fastest"
            assert told["mail"]["locale"] == "en"
        await changed(ana, f"{rules}/despacho", handling_days="", cutoff="14:00", leaves_at="17:30")
        await changed(ana, f"{rules}/estoque", split="", **dict.fromkeys(draws, "yes"))
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            assert (await accounts.get(tx, one.account.id)).settings["handling_days"] is None
            assert await policies.draws(tx, one.account.id) == []
        for group, fields, sentence in (
            ("despacho", {"handling_days": "0", "cutoff": "18:00", "leaves_at": "17:00"}, "o corte precisa vir antes"),
            ("estoque", {"split": "", **dict.fromkeys(draws, "")}, "Escolha ao menos um depósito."),
            ("email", {**mail, "reply_to": "sac"}, "Não é um e-mail"),
            ("conferencia", {**drift, "gone": "repair"}, "Escolha uma das opções."),
            ("reserva", {"since": "", "hours": "9999"}, "de 0 a 8760."),
        ):
            answer = await ana.post(f"{rules}/{group}", **fields)
            assert (answer.status, sentence in answer.text) == (400, True), (group, sentence)


async def test_who_may_not_change_sees_what_holds_and_other_sellers_nothing() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", [])
        rules = f"/contas/{one.account.id}/regras"
        for role, least in (("operator", 200), ("viewer", 200), ("warehouse", 403)):
            reader = await s.signed_in(f"{role}@loja.example", role)
            for path in (HOME, f"{HOME}/mensagens", rules):
                page = await reader.get(path)
                assert page.status == least, (role, path)
                assert "Ver o que muda" not in page.text
            assert (await reader.post(f"{HOME}/divisao", split="order", sure="yes")).status == 403
            assert (await reader.post(f"{rules}/frete", rule="fastest", declares="", sure="yes")).status == 403
            assert (await reader.post(f"{HOME}/mensagens", event="delivered", to="en", reset="yes")).status == 403
        other = await s.other_seller()
        await s.person("fabio@outra.example", "owner", seller_id=other)
        reader = s.reader()
        await reader.sign_in("fabio@outra.example")
        assert (await reader.get(rules)).status == 404
        assert (await reader.post(f"{rules}/frete", rule="fastest", declares="", sure="yes")).status == 404
        ana = await s.signed_in()
        words = f"{HOME}/mensagens"
        assert "Saiu para entrega" in (await ana.get(f"{words}?evento=out_for_delivery")).text
        told = {
            "event": "delivered",
            "to": "en",
            "subject": "Here it is: {order}",
            "body": "{greeting}\n\nEnjoy {nonsense}!",
        }
        bad = await ana.post(words, **told)
        assert (bad.status, "só com os campos da lista" in bad.text) == (400, True)
        told["body"] = "{greeting}\n\nEnjoy!\n"
        look = await ana.post(words, **told, look="yes")
        assert "Here it is: 10382" in look.text
        assert not await s.w.rows("SELECT 1 FROM mail_template")
        assert (await ana.post(words, **told)).status == 303
        assert (await s.w.row("SELECT subject, locale FROM mail_template")) == {
            "subject": told["subject"],
            "locale": "en",
        }
        await ana.post(words, event="delivered", to="en", reset="yes")
        assert not await s.w.rows("SELECT 1 FROM mail_template")
        for query in ("?evento=none", "?para=fr"):
            assert (await ana.get(f"{words}{query}")).status == 404
