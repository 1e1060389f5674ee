"""Avisos: each person's own ways, what is refused and why, the test that says what is wrong, and what left."""

from datetime import timedelta
from uuid import uuid4

from hub.store import alerts
from jobs import notices as flow
from tests.flows.test_mails import Post, post, use  # noqa: F401 - a fixture
from tests.flows.test_notices import chatting
from tests.web.site import Site, site

HOME = "/configuracoes/avisos"
GOOD = {
    "name": "Canal da operação", "least": "warning", "scope": "all", "handed": "yes", "quiet_from": "21:00",
    "quiet_to": "07:00", "digest": "07:30",
}  # fmt: skip


async def row(s: Site) -> dict[str, object]:
    return await s.w.row("SELECT * FROM notice_way")


async def test_a_chat_is_connected_tried_changed_and_removed_and_its_address_is_not_shown_again() -> None:
    async with site() as s, chatting() as chat:
        ana = await s.signed_in()
        assert "Só por aqui, por enquanto" in (await ana.get(HOME)).text
        form = await ana.get(f"{HOME}/novo/slack")
        assert "hooks.slack.com" in form.text
        made = await ana.post(f"{HOME}/novo/slack", url=chat.url, **GOOD)
        assert (made.status, made.headers["Location"]) == (303, HOME)
        page = (await ana.get(HOME)).text
        assert "Canal da operação" in page
        assert "urgentes e de atenção" in page
        assert "segredo" not in page
        id_ = (await row(s))["id"]
        assert (await ana.post(f"{HOME}/{id_}/testar")).status == 303
        page = (await ana.get(HOME)).text
        assert "veja se chegou" in page
        assert "entregue" in page
        assert len(chat.got) == 1
        chat.status = 404
        again = await ana.post(f"{HOME}/{id_}/testar")
        assert "Um teste a cada dez segundos" in (await ana.get(HOME)).text, again.status
        now = s.w.rt.now()
        s.w.rt.now = lambda: now + timedelta(minutes=1)
        await ana.post(f"{HOME}/{id_}/testar")
        page = (await ana.get(HOME)).text
        assert page.count("O chat não conhece mais este webhook") == 2, "on top, and in the log"
        assert "segredo" not in page
        assert 'value="21:00"' in (await ana.get(f"{HOME}/{id_}")).text
        changed = {**GOOD, "quiet_from": "", "quiet_to": "", "digest": "", "kind:shortage": "yes", "least": "info"}
        assert (await ana.post(f"{HOME}/{id_}", **changed)).status == 303
        kept = await row(s)
        assert (kept["quiet"], kept["digest_at"], kept["kinds"], kept["least"]) == (None, None, ["shortage"], "info")
        await ana.post(f"{HOME}/{id_}/desligar")
        assert (await row(s))["off_at"] is not None
        await ana.post(f"{HOME}/{id_}/ligar")
        assert (await row(s))["off_at"] is None
        await ana.post(f"{HOME}/{id_}/remover")
        assert await row(s), "not without being sure"
        await ana.post(f"{HOME}/{id_}/remover", sure="yes")
        assert not await s.w.rows("SELECT 1 FROM notice_way")
        told = await s.w.rows(
            "SELECT action, params::text AS params FROM audit_log WHERE action LIKE 'notice%%' ORDER BY id"
        )
        assert [each["action"] for each in told] == [
            "notice_way_add", "notice_way_set", "notice_way_off", "notice_way_on", "notice_way_drop",
        ]  # fmt: skip
        assert not [each for each in told if "segredo" in each["params"]]


async def test_what_was_typed_stays_and_the_field_is_named() -> None:
    async with site() as s:
        ana = await s.signed_in()
        await ana.get(f"{HOME}/novo/slack")
        url = "https://hooks.slack.com/services/T/B/x"
        for changed, sentence in (
            ({"url": "http://chat.exemplo/x"}, "precisa começar com https://"),
            ({"url": "hooks.slack.com"}, "Cole o endereço inteiro"),
            ({"url": "https://discord.com/api/webhooks/1/abc"}, "de outro chat (Discord)"),
            ({"name": " "}, "Dê um nome"),
            ({"least": "x"}, "Escolha o que é avisado"),
            ({"scope": "x"}, "Escolha de quem"),
            ({"quiet_to": ""}, "Escreva as duas horas"),
            ({"quiet_to": "25:00"}, "Escreva as duas horas"),
            ({"digest": "cedo"}, "Escreva uma hora"),
        ):
            answer = await ana.post(f"{HOME}/novo/slack", **{"url": url, **GOOD, **changed})
            assert (answer.status, sentence in answer.text) == (400, True), sentence
            if "name" not in changed:
                assert 'value="Canal da operação"' in answer.text
        bot = {"token": "x", "chat": "1"}
        assert "@BotFather o mostra" in (await ana.post(f"{HOME}/novo/telegram", **GOOD, **bot)).text
        assert "BALCAO_SMTP_URL" in (await ana.post(f"{HOME}/novo/email", **GOOD)).text
        assert (await ana.get(f"{HOME}/novo/pombo")).status == 404
        assert (await ana.post(f"{HOME}/novo/pombo", **GOOD)).status == 404
        for _ in range(10):
            assert (await ana.post(f"{HOME}/novo/slack", url=url, **GOOD)).status == 303
        assert "já tem 10 caminhos" in (await ana.post(f"{HOME}/novo/slack", url=url, **GOOD)).text


async def test_the_mail_is_ones_own_and_each_sees_only_their_own_ways(post: Post) -> None:  # noqa: F811 - the fixture
    async with site() as s:
        use(s.w, f"smtp://127.0.0.1:{post.port}")
        ana = await s.signed_in()
        await ana.get(HOME)
        assert (await ana.post(f"{HOME}/novo/email", **GOOD)).status == 303
        assert "já é um caminho" in (await ana.post(f"{HOME}/novo/email", **GOOD)).text
        id_ = (await row(s))["id"]
        await ana.post(f"{HOME}/{id_}/testar")
        assert post.to == ["ana@loja.example"]
        assert "Bia Lima" not in (await ana.get(HOME)).text
        bia = await s.signed_in("bia@loja.example", "manager", name="Bia Lima")
        page = (await bia.get(HOME)).text
        assert "ana@loja.example" not in page
        assert "ainda não escolheram um caminho: Bia Lima" in page
        assert "ainda não escolheram" in (await ana.get(HOME)).text
        for verb in ("", "/testar", "/ligar", "/desligar", "/remover"):
            answer = await bia.post(f"{HOME}/{id_}{verb}", **GOOD, sure="yes")
            assert answer.status == 404, verb
        assert (await bia.get(f"{HOME}/{id_}")).status == (await bia.get(f"{HOME}/{uuid4()}")).status == 404
        assert (await row(s))["off_at"] is None
        packs = await s.signed_in("dino@loja.example", "warehouse")
        assert (await packs.get(HOME)).status == (await packs.post(f"{HOME}/novo/email", **GOOD)).status == 403
        reads = await s.signed_in("eva@loja.example", "viewer")
        await reads.get(HOME)
        assert (await reads.post(f"{HOME}/novo/email", **GOOD)).status == 303
        other = await s.other_seller()
        await s.person("fabio@loja.example", "owner", seller_id=other)
        reader = s.reader()
        await reader.sign_in("fabio@loja.example")
        assert (await reader.post(f"{HOME}/{id_}/remover", sure="yes")).status == 404
        async with s.w.rt.db.seller(other) as tx:
            await alerts.raise_(tx, "slot_parked", "x", severity="urgent")
        await flow.spread(s.w.rt)
        assert not await s.w.rows("SELECT 1 FROM notice"), "another seller's alerts are nobody's here"
