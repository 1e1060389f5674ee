"""What the pages show, to whom, and what they refuse."""

import asyncio
import html
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import aiohttp
import pytest
from aiohttp import web

from config.settings import Settings
from hub.sandbox import Product
from hub.web import app as whole
from hub.web import edge, i18n, words
from jobs.install import Installation
from tests.services import stack
from tests.web.site import Reader, Site, site
from tests.world import Channel

SHELF = [
    Product(sku="CANECA", title="Caneca <script>alert(1)</script>", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
]
PAGES = ("/", "/contas", "/contas/nova", "/pedidos", "/anuncios", "/envios", "/conferencia", "/saude")


async def shop(s: Site) -> tuple[Channel, str]:
    """One store with one sale; answers it and the order's id."""
    one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
    await s.w.open_stock(CANECA=10, PRATO=4)
    await one.buy("CANECA", 2)
    (row,) = await s.until("SELECT order_id AS id FROM order_line")
    return one, str(row["id"])


async def every_page(s: Site, reader: Reader, one: Channel, order: str) -> dict[str, str]:
    paths = (
        *PAGES,
        f"/pedidos/{order}",
        f"/contas/{one.account.id}",
        f"/contas/{one.account.id}/previa",
        "/estoque/CANECA",
    )
    told = {}
    for path in (*paths, "/contas/nova?canal=correios", "/pedidos?busca=Silva", "/anuncios?estado=even&busca=Caneca"):
        answer = await reader.get(path)
        assert answer.status == 200, (path, answer.text[-600:])
        told[path] = answer.text
    return told


async def test_every_page_shows_in_both_languages_and_no_title_becomes_markup() -> None:
    async with site() as s:
        one, order = await shop(s)
        for locale, word in (("pt_BR", "Pedidos"), ("en", "Orders")):
            reader = await s.signed_in(f"{locale.lower()}@loja.example", locale=locale)
            for path, text in (await every_page(s, reader, one, order)).items():
                assert word in text, path
                assert "<script>alert" not in text, path
                assert " style=" not in text, path
                assert " onclick=" not in text, path
            assert "&lt;script&gt;alert(1)" in (await reader.get("/anuncios")).text


async def test_the_pages_carry_the_headers_that_keep_others_out() -> None:
    async with site() as s:
        reader = await s.signed_in()
        for path in ("/", "/pedidos", "/nada", "/entrar"):
            headers = (await reader.get(path)).headers
            assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
            assert "unsafe-inline" not in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "same-origin"
            assert headers["Cache-Control"] == "no-store"


async def test_another_sellers_things_are_not_there() -> None:
    async with site() as s:
        one, order = await shop(s)
        other = await s.other_seller()
        reader = await s.signed_in("bia@outra.example", seller_id=other)
        account = one.account.id
        for path in (f"/pedidos/{order}", f"/contas/{account}", f"/contas/{account}/previa", "/estoque/CANECA"):
            assert (await reader.get(path)).status == 404, path
        for verb in ("verificar", "pausar", "retomar", "aprovar"):
            assert (await reader.post(f"/contas/{account}/{verb}", seen="yes")).status == 404, verb
        for path in ("/pedidos?busca=1", "/anuncios", "/envios", "/contas", "/"):
            text = (await reader.get(path)).text
            assert "Caneca" not in text
            assert order not in text
        assert (await s.w.rt.account(s.w.seller_id, account)).status == "live"


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("viewer", set[str]()),
        ("operator", {"verificar", "pausar"}),
        ("manager", {"verificar", "pausar", "retomar", "aprovar", "nova"}),
        ("owner", {"verificar", "pausar", "retomar", "aprovar", "nova"}),
    ],
)
async def test_a_role_reaches_as_far_as_it_says(role: str, allowed: set[str]) -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1, approve=False)
        reader = await s.signed_in(role=role)
        path = f"/contas/{one.account.id}"
        page = (await reader.get(path)).text
        assert ("/in/" in page) == (role in ("manager", "owner"))  # the webhook address is a secret
        for verb in ("aprovar", "verificar", "pausar", "retomar"):
            answer = await reader.post(f"{path}/{verb}", seen="yes")
            assert answer.status == (303 if verb in allowed else 403), verb
        assert (await reader.get("/contas/nova")).status == (200 if "nova" in allowed else 403)
        assert (await reader.post("/contas/nova", channel="x")).status == (400 if "nova" in allowed else 403)
        if role == "viewer":
            assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "preview"


async def test_an_approval_asks_that_the_preview_was_seen() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1, approve=False)
        await s.w.open_stock(CANECA=7, PRATO=0)
        reader = await s.signed_in()
        path = f"/contas/{one.account.id}"
        preview = (await reader.get(f"{path}/previa")).text
        assert "Vão a zero (1)" in preview
        assert "Prato raso" in preview
        assert "Caneca" in (await reader.get(f"{path}/previa?mudanca=less")).text
        sheet = (await reader.get(f"{path}/previa.csv?mudanca=less")).text.lstrip("\ufeff").splitlines()
        assert sheet[0].startswith("Mudança;Anúncio;Variação;Título;")
        assert [line.split(";")[5:10] for line in sheet[1:]] == [["CANECA", "1", "", "10", "7"]]
        assert (await reader.post(f"{path}/aprovar")).headers["Location"] == f"{path}/previa"
        assert "Confirme que você conferiu" in (await reader.get(f"{path}/previa")).text
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "preview"
        assert (await reader.post(f"{path}/aprovar", seen="yes")).headers["Location"] == path
        assert "Um aprovada. Anúncios a escrever: 2." in (await reader.get(path)).text
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "live"
        await s.w.settle()
        assert one.sandbox.shelf() == {"CANECA": 7, "PRATO": 0}


async def test_a_paused_account_is_not_approved_and_a_live_one_is_not_resumed() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1, approve=False)
        reader = await s.signed_in()
        path = f"/contas/{one.account.id}"
        await reader.post(f"{path}/pausar")
        await reader.post(f"{path}/aprovar", seen="yes")
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "paused"
        await reader.post(f"{path}/retomar")
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "preview"
        await reader.post(f"{path}/retomar")
        audits = await s.w.rows("SELECT action FROM audit_log WHERE action = 'account_resume'")
        assert len(audits) == 1


async def test_an_account_is_connected_checked_paused_and_resumed() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
        told = one.sandbox.credentials(str(one.server.make_url("")).rstrip("/"))
        reader = await s.signed_in()
        form = (await reader.get("/contas/nova?canal=woocommerce")).text
        assert 'type="password"' in form
        wrong = await reader.post(
            "/contas/nova", channel="woocommerce", c_store_url="loja.example", c_consumer_secret="cs_oculto"
        )
        assert wrong.status == 422
        assert "Falta preencher." in wrong.text
        assert "cs_oculto" not in wrong.text
        fields = {f"c_{name}": value for name, value in told.items()}
        twice = await reader.post("/contas/nova", channel="woocommerce", name="De novo", **fields)
        assert twice.status == 422
        assert "já está ligada aqui, como Um" in twice.text
        path = f"/contas/{one.account.id}"
        await reader.post(f"{path}/pausar", reason="férias <b>")
        text = (await reader.get(path)).text
        assert "pausada por você" in text
        assert "férias &lt;b&gt;" in text
        await reader.post(f"{path}/retomar")
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "live"
        await reader.post(f"{path}/verificar")
        assert "respondeu: a conta é" in (await reader.get(path)).text
        one.sandbox.knobs.down = True
        await reader.post(f"{path}/verificar")
        assert "não respondeu" in (await reader.get(path)).text


async def test_an_order_tells_its_lines_money_and_timeline() -> None:
    async with site() as s:
        _one, order = await shop(s)
        reader = await s.signed_in()
        text = (await reader.get(f"/pedidos/{order}")).text
        assert "R$\xa079,80" in text
        assert "2 de CANECA em Principal" in text
        assert "Estoque reservado" in text
        assert (await reader.get("/pedidos/not-an-id")).status == 404
        assert (await reader.get(f"/pedidos/{uuid4()}")).status == 404


async def test_pages_go_on_by_keyset_and_meet_every_order_once() -> None:
    async with site() as s:
        _one, _order = await shop(s)
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO orders (seller_id, id, account_id, ref, number, stock_key, status, told, versions, "
                "placed_at, total_cents) "
                "SELECT seller_id, gen_random_uuid(), account_id, 'n' || n, 'N' || n, 'n' || n, 'paid', '{}', '{}', "
                "now() - (n / 7) * interval '1 hour', n FROM orders, generate_series(1, 120) n LIMIT 120"
            )
        reader = await s.signed_in()
        seen: list[str] = []
        path: str | None = "/pedidos?situacao=paid"
        while path:
            text = (await reader.get(path)).text
            seen += re.findall(r'<th scope="row"><a href="/pedidos/([^"]+)"', text)
            onward = re.search(r'href="([^"]+)" rel="next"', text)
            path = html.unescape(onward[1]) if onward else None
        assert len(seen) == len(set(seen)) == 121
        for wrong in ("x", "2026-01-01~x", "~", "2026-01-01T00:00:00~" + str(uuid4())):
            assert (await reader.get(f"/pedidos?apos={wrong}")).status == 200


async def test_a_search_finds_by_number_name_and_takes_signs_as_letters() -> None:
    async with site() as s:
        _one, order = await shop(s)
        row = await s.w.row("SELECT number, buyer_name FROM orders")
        reader = await s.signed_in()
        for told in (row["number"], row["buyer_name"].split()[0].lower()):
            assert order in (await reader.get(f"/pedidos?busca={told}")).text
        for told in ("%25", "_", "%5C", "'", "%00"):
            found = await reader.get(f"/pedidos?busca={told}")
            assert found.status == 200
            assert (order in found.text) == (told == "%00")  # nothing is left to look for: the whole list


async def test_states_of_listings_are_filtered_as_they_are_shown() -> None:
    async with site() as s:
        one, _order = await shop(s)
        await s.connect(
            "woocommerce", [Product(sku="NOVO", title="Sem vínculo", quantity=1, price_cents=100)], name="Dois", seed=2
        )
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "UPDATE stock_slot SET parked_code = 'x', parked_reason = 'em revisão' "
                "WHERE ref = (SELECT min(ref) FROM stock_slot)"
            )
            await tx.run(
                "UPDATE stock_slot SET doubt_until = now() "
                "WHERE ref = (SELECT max(ref) FROM stock_slot WHERE account_id = %s)",
                [one.account.id],
            )
        reader = await s.signed_in()
        for state, (_tone, word) in words.STATE.items():
            text = (await reader.get(f"/anuncios?estado={state}")).text
            rows = text.count("<tr>") - 1 if "<tbody>" in text else 0
            assert text.count(f">{word}</span>") == rows, state


async def test_an_unknown_address_a_wrong_method_and_a_large_form_get_a_small_page() -> None:
    async with site() as s:
        reader = await s.signed_in()
        gone = await reader.get("/nada/aqui")
        assert (gone.status, "Não encontrado" in gone.text) == (404, True)
        assert (await reader.post("/pedidos")).status in (404, 405)
        large = await reader.post("/idioma", locale="x" * 2**21)
        assert (large.status, "Grande demais" in large.text) == (413, True)
        assert (await reader.get("/static/../app.py")).status == 404
        assert (await reader.get("/static/app.css")).status == 200


async def test_a_failure_shows_one_sentence_and_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    async with site() as s:
        reader = await s.signed_in()

        async def broken(visit: object) -> web.Response:
            raise RuntimeError("a secret of ours")

        s.server.app.router._frozen = False
        s.server.app.router.add_get("/quebrado/aqui", edge.page(broken))
        answer = await reader.get("/quebrado/aqui")
        assert answer.status == 500
        assert "Algo falhou aqui" in answer.text
        assert "secret" not in answer.text
        assert "Traceback" not in answer.text


async def test_a_database_that_is_away_is_said_so() -> None:
    async with site() as s:
        reader = await s.signed_in()
        real = s.w.rt.db
        s.w.rt.db = type(real)("postgresql://nobody@127.0.0.1:1/nothing")
        for pool in s.w.rt.db._pools.values():
            pool.timeout = 0.2
        try:
            async with asyncio.timeout(10):
                answer = await reader.get("/pedidos")
        finally:
            s.w.rt.db = real
        assert (answer.status, "Banco de dados fora do ar" in answer.text) == (503, True)


async def test_the_feed_tells_each_seller_their_own_pushes_only() -> None:
    async with site() as s:
        one, _order = await shop(s)
        two = await s.connect("woocommerce", SHELF, name="Dois", seed=2)
        other = await s.other_seller()
        mine, theirs = await s.signed_in(), await s.signed_in("bia@outra.example", seller_id=other)
        heard: dict[str, str] = {"mine": "", "theirs": ""}

        async def listen(name: str, reader: Reader) -> None:
            async with reader.session.get(s.base + "/ao-vivo", timeout=aiohttp.ClientTimeout(total=6)) as answer:
                assert answer.status == 200
                assert answer.content_type == "text/event-stream"
                async for chunk in answer.content.iter_any():
                    heard[name] += chunk.decode()

        tasks = [asyncio.create_task(listen("mine", mine)), asyncio.create_task(listen("theirs", theirs))]
        await asyncio.sleep(0.7)
        await one.buy("PRATO", 1)
        await s.w.settle()
        for _ in range(40):
            if "4 →</span> <b>3" in heard["mine"]:
                break
            await asyncio.sleep(0.1)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert two.sandbox.shelf()["PRATO"] == 3
        assert "4 →</span> <b>3</b>" in heard["mine"]
        assert heard["mine"].count("Dois") >= 1
        assert "<li" not in heard["theirs"]
        assert "<script>alert" not in heard["mine"]


async def test_the_whole_application_serves_pages_webhooks_and_health(tmp_path: Path) -> None:
    async with site() as s:
        url = str(s.w.rt.db._url)
        settings = Settings(home=tmp_path)
        installed = Installation(
            settings=settings, database_url=url, redis_url=stack().redis_url, home=tmp_path, vault=s.w.rt.vault
        )
        runner = web.AppRunner(whole.create(installed), access_log=None)
        await runner.setup()
        place = web.TCPSite(runner, "127.0.0.1", 0)
        await place.start()
        port = place._server.sockets[0].getsockname()[1]  # type: ignore[union-attr] # it is started
        try:
            async with aiohttp.ClientSession() as session:
                base = f"http://127.0.0.1:{port}"
                for path, status in (("/health", 200), ("/metrics", 200), ("/entrar", 200), ("/", 200)):
                    async with session.get(base + path) as answer:
                        assert answer.status == status, path
                async with session.post(base + "/in/nobody", data=b"{}") as answer:
                    assert answer.status == 404
                    assert "Set-Cookie" not in answer.headers
                    assert "Content-Security-Policy" not in answer.headers
        finally:
            await runner.cleanup()


def test_no_sentence_lacks_a_translation_and_every_one_keeps_its_names() -> None:
    said = set(i18n.said())
    assert len(said) > 250
    for locale in i18n.LOCALES:
        kept = {m.id: m for m in i18n.catalog(locale) if m.id}
        assert said - set(kept) == set(), f"{locale}: run python -m hub.web.i18n"
        assert set(kept) - said == set(), f"{locale}: run python -m hub.web.i18n"
        assert [m.id for m in kept.values() if not i18n.is_whole(m) or m.fuzzy] == []
        for message in kept.values():
            for msgid, told in zip(*map(_forms, (message.id, message.string)), strict=True):
                names = [sorted(re.findall(r"%\((\w+)\)s", each)) for each in (msgid, told)]
                assert names[0] == names[1], message.id


def _forms(told: Any) -> tuple[str, ...]:
    """A sentence of one and of several; of others the only form."""
    return told if isinstance(told, tuple) else (told,)


def test_what_is_counted_says_one_or_several() -> None:
    pt, en = i18n.Language("pt_BR"), i18n.Language("en")
    days = ("%(days)s dia", "%(days)s dias")
    assert [pt.ngettext(*days, n, days=n) for n in (0, 1, 2)] == ["0 dias", "1 dia", "2 dias"]
    assert [en.ngettext(*days, n, days=n) for n in (0, 1, 2)] == ["0 days", "1 day", "2 days"]
    assert [pt.duration(n) for n in (1, 60, 120, 1440, 2880)] == ["1 min", "1 h", "2 h", "1 dia", "2 dias"]
    assert [en.duration(n) for n in (45, 60, 1440)] == ["45 min", "1 h", "1 day"]


def test_money_times_and_numbers_read_as_in_brazil() -> None:
    pt, en = i18n.Language("pt_BR"), i18n.Language("en")
    assert pt.money(123456) == "R$\xa01.234,56"
    assert en.money(123456) == "R$1,234.56"
    assert pt.money(None) == "—"
    late = datetime(2026, 3, 1, 2, 30, tzinfo=UTC)
    assert pt.day(late) == "28/02/2026"  # still February in São Paulo
    assert pt.time(late) == "23:30:00"
    assert (pt.milliseconds(840), pt.milliseconds(2449), pt.milliseconds(180_000)) == ("840 ms", "2,4 s", "3 min")
    assert pt.ago(late - timedelta(minutes=3), late) == "há 3 minutos"
    assert en.ago(late - timedelta(minutes=3), late) == "3 minutes ago"


def test_an_alert_of_another_kind_or_with_less_told_is_still_a_sentence() -> None:
    pt = i18n.Language("pt_BR")
    for kind in (*words.ALERT, "something_new"):
        sentence = words.alert_sentence(pt, {"kind": kind, "params": {}, "subject": "x"})
        assert sentence
        assert "%(" not in sentence
