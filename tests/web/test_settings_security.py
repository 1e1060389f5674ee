"""Two factors, sessions, API keys, and the log of who did what."""

import re
from datetime import timedelta

import pyotp
import pytest

from hub import two_factor
from hub.store import stock
from hub.web.devices import device_of
from hub.web.pages import security
from jobs import two_factor as flow
from tests.web.site import PASSWORD, Reader, Site, site

HOME = "/configuracoes/seguranca"
KEYS, LOG = "/configuracoes/chaves", "/configuracoes/registro"


async def enrolled(s: Site, reader: Reader) -> tuple[str, list[str]]:
    """The secret and the recovery codes of a person who has just turned two factors on."""
    await reader.get(HOME)
    await reader.post(f"{HOME}/fator")
    page = (await reader.get(HOME)).text
    found = re.search(r'<span class="code">([A-Z2-7]{32})</span>', page)
    assert found
    assert "<svg" in page
    answer = await reader.post(f"{HOME}/fator/confirmar", code=pyotp.TOTP(found[1]).at(s.w.rt.now()))
    assert answer.status == 200
    codes = re.findall(r'<li class="code">([a-z2-7-]{19})</li>', answer.text)
    assert len(codes) == two_factor.CODES
    await reader.get(HOME)
    return found[1], codes


async def half_way(s: Site) -> Reader:
    """A browser whose password was right."""
    reader = s.reader()
    await reader.get("/entrar")
    answer = await reader.post("/entrar", email="ana@loja.example", password=PASSWORD)
    assert (answer.status, answer.headers["Location"]) == (303, "/entrar/codigo")
    await reader.get("/entrar/codigo")
    return reader


def pass_time(s: Site, **by: float) -> None:
    now = s.w.rt.now
    s.w.rt.now = lambda: now() + timedelta(**by)


async def test_the_password_alone_lets_nobody_in_any_more_and_each_code_counts_once() -> None:
    async with site() as s:
        ana = await s.signed_in()
        secret, _codes = await enrolled(s, ana)
        row = await s.w.row("SELECT sealed FROM user_factor")
        assert secret.encode() not in bytes(row["sealed"])
        reader = await half_way(s)
        assert (await reader.get("/pedidos")).status == 303
        used = pyotp.TOTP(secret).at(s.w.rt.now())
        assert (await reader.post("/entrar/codigo", code=used)).status == 403, "the code that turned it on was used"
        pass_time(s, seconds=60)
        code = pyotp.TOTP(secret).at(s.w.rt.now())
        assert (await reader.post("/entrar/codigo", code=code)).status == 303
        assert (await reader.get("/pedidos")).status == 200
        again = await half_way(s)
        assert (await again.post("/entrar/codigo", code=code)).status == 403, "a code is replayed"
        me = (await s.w.row("SELECT user_id FROM user_factor"))["user_id"]
        assert [await flow.reset(s.w.rt, s.w.seller_id, me) for _ in range(2)] == [True, False]
        assert (await reader.get("/pedidos")).status == 303, "a reset ends what sessions there are"
        assert (await s.reader().sign_in("ana@loja.example", onward="/pedidos")).headers["Location"] == "/pedidos"
        assert await s.w.rows("SELECT 1 FROM audit_log WHERE action = 'factor_reset' AND subject = %s", str(me))


async def test_a_recovery_code_counts_once_and_is_kept_as_a_hash() -> None:
    async with site() as s:
        _secret, codes = await enrolled(s, await s.signed_in())
        assert all(len(bytes(row["code_hash"])) == 32 for row in await s.w.rows("SELECT code_hash FROM recovery_code"))
        for expected in (303, 403):
            reader = await half_way(s)
            assert (await reader.post("/entrar/codigo", code=f" {codes[3].upper()} ")).status == expected
        assert "por usar: 8" in (await (await _in(s, codes[4])).get(HOME)).text


async def _in(s: Site, code: str) -> Reader:
    reader = await half_way(s)
    assert (await reader.post("/entrar/codigo", code=code)).status == 303
    return reader


async def test_codes_are_guessed_rarely_and_the_password_is_remembered_shortly() -> None:
    async with site() as s:
        secret, _codes = await enrolled(s, await s.signed_in())
        reader = await half_way(s)
        pass_time(s, seconds=60)
        for _ in range(security.PER_CODE):
            assert (await reader.post("/entrar/codigo", code="abc")).status == 403
        right = await reader.post("/entrar/codigo", code=pyotp.TOTP(secret).at(s.w.rt.now()))
        assert (right.status, "Muitas tentativas" in right.text) == (403, True)
        pass_time(s, minutes=16)
        late = await reader.post("/entrar/codigo", code=pyotp.TOTP(secret).at(s.w.rt.now()))
        assert late.headers["Location"] == "/entrar"
        assert (await reader.get("/pedidos")).status == 303


async def test_a_new_password_ends_a_half_way_sign_in() -> None:
    async with site() as s:
        secret, _codes = await enrolled(s, await s.signed_in())
        reader = await half_way(s)
        await s.person("ana@loja.example")
        pass_time(s, seconds=60)
        answer = await reader.post("/entrar/codigo", code=pyotp.TOTP(secret).at(s.w.rt.now()))
        assert answer.headers["Location"] == "/entrar"


async def test_an_owner_asks_everybody_and_who_has_none_sees_only_its_page() -> None:
    async with site() as s:
        ana, op = await s.signed_in(), await s.signed_in("op@loja.example", "operator")
        await ana.get(HOME)
        await ana.post(f"{HOME}/exigir", on="yes")
        assert "Ligue primeiro" in (await ana.get(HOME)).text
        secret, _codes = await enrolled(s, ana)
        assert (await ana.post(f"{HOME}/exigir", on="yes")).status == 303
        assert (await op.post(f"{HOME}/exigir", on="no")).status == 403
        for path in ("/", "/pedidos", KEYS.replace("chaves", "") + "pessoas"):
            answer = await op.get(path)
            assert answer.status in {303, 403}, path
        assert (await op.get("/pedidos")).headers["Location"] == HOME
        assert "exige dois fatores" in (await op.get(HOME)).text
        pass_time(s, seconds=60)
        off = await ana.post(f"{HOME}/fator/desligar", code=pyotp.TOTP(secret).at(s.w.rt.now()))
        assert (off.status, "só o dono muda isso" in off.text) == (400, True)
        await enrolled(s, op)
        assert (await op.get("/pedidos")).status == 200


async def test_turning_it_off_asks_for_a_code() -> None:
    async with site() as s:
        ana = await s.signed_in()
        _secret, codes = await enrolled(s, ana)
        assert (await ana.post(f"{HOME}/fator/desligar", code="000000")).status == 400
        async with s.w.rt.db.people() as tx:
            before = await tx.all("SELECT sealed, confirmed_at FROM user_factor")
        await ana.post(f"{HOME}/fator")
        async with s.w.rt.db.people() as tx:
            assert await tx.all("SELECT sealed, confirmed_at FROM user_factor") == before, "a secret in use stays"
        renewed = await ana.post(f"{HOME}/fator/codigos", code=codes[0])
        assert renewed.status == 200
        assert (await ana.post(f"{HOME}/fator/desligar", code=codes[1])).status == 400, "old codes count no more"
        fresh = re.findall(r'<li class="code">([a-z2-7-]{19})</li>', renewed.text)
        assert (await ana.post(f"{HOME}/fator/desligar", code=fresh[0])).status == 303
        async with s.w.rt.db.people() as tx:
            assert await tx.value("SELECT count(*) FROM recovery_code") == 0
        row = await s.w.row("SELECT id FROM app_user")
        assert not await flow.is_on(s.w.rt, row["id"])


async def test_sessions_are_seen_and_ended_one_by_one_and_all_but_this() -> None:
    async with site() as s:
        one, two, three = await s.signed_in(), s.reader(), s.reader()
        await two.sign_in("ana@loja.example")
        await three.sign_in("ana@loja.example")
        bia = await s.signed_in("bia@loja.example")
        page = (await one.get(HOME)).text
        assert page.count(f'action="{HOME}/sessoes/') == 2
        assert "127.0.0.1" in page
        first = re.findall(rf'action="({HOME}/sessoes/[^"]+)"', page)[0]
        await bia.get(HOME)
        await bia.post(first)
        assert sorted([(await two.get("/pedidos")).status, (await three.get("/pedidos")).status]) == [200, 200]
        await one.post(first)
        assert sorted([(await two.get("/pedidos")).status, (await three.get("/pedidos")).status]) == [200, 303]
        await one.post(f"{HOME}/sessoes")
        assert [(await each.get("/pedidos")).status for each in (one, two, three, bia)] == [200, 303, 303, 200]


async def test_a_cookie_that_was_signed_out_counts_no_more() -> None:
    async with site() as s:
        reader = await s.signed_in()
        kept = reader.cookie.value
        await reader.post("/sair")
        async with s.reader().session.get(
            s.base + "/pedidos", headers={"Cookie": f"balcao={kept}"}, allow_redirects=False
        ) as answer:
            assert answer.status == 303


async def test_a_key_is_shown_once_kept_as_a_hash_works_and_ends() -> None:
    async with site() as s:
        reader = await s.signed_in("ger@loja.example", "manager")
        await reader.get(KEYS)
        assert "Escolha o que a chave pode" in (await reader.post(KEYS, name="ERP")).text
        assert "Diga que programa" in (await reader.post(KEYS, name=" ", **{"scope:stock:read": "yes"})).text
        answer = await reader.post(KEYS, name="ERP <x>", **{"scope:stock:read": "yes", "scope:all": "yes"})
        found = re.search(r'value="(balcao_[\w-]+)"', answer.text)
        assert found
        assert found[1] not in (await reader.get(KEYS)).text
        row = await s.w.row("SELECT id, scopes, key_hash FROM api_key")
        assert row["scopes"] == ["stock:read"]
        assert found[1].encode() not in bytes(row["key_hash"])
        bearer = {"Authorization": f"Bearer {found[1]}"}
        assert (await s.reader().get("/api/v1/skus/X/stock", headers=bearer)).status == 404
        assert (await reader.post(f"{KEYS}/{row['id']}/revogar")).status == 303
        assert (await s.reader().get("/api/v1/skus/X/stock", headers=bearer)).status == 401
        assert "já não estava em vigor" in (await _after(reader, f"{KEYS}/{row['id']}/revogar"))


async def _after(reader: Reader, path: str) -> str:
    await reader.post(path)
    return (await reader.get(KEYS)).text


async def test_the_log_says_who_did_what_filtered_paged_and_as_a_file() -> None:
    async with site() as s:
        ana = await s.signed_in()
        bia = await s.signed_in("bia@loja.example", "manager", name="Bia")
        for reader, name in ((ana, "=HYPERLINK(1)"), (bia, "ERP")):
            await reader.get(KEYS)
            await reader.post(KEYS, name=name, **{"scope:stock:read": "yes"})
        page = (await ana.get(LOG)).text
        assert page.count("chave da API feita</th>") == 2
        who = await s.w.row("SELECT id FROM app_user WHERE email = 'bia@loja.example'")
        mine = (await ana.get(f"{LOG}?quem={who['id']}&dias=7")).text
        assert mine.count("chave da API feita</th>") == 1
        assert "ERP" in mine
        assert "Nada registrado" in (await ana.get(f"{LOG}?acao=user_role")).text
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await stock.audit(
                tx, "stock_import", "1", mode="set", kind="own", role="warehouse", scopes=["all"], document="order"
            )
        page = (await ana.get(LOG)).text
        for words in ("modo: o contado substitui", "tipo: próprio", "papel: depósito", "escopos: a conta inteira"):
            assert words in page, words
        assert "documento: Pedido" in page
        sheet = await ana.get(f"{LOG}.csv?acao=apikey_add")
        assert sheet.text.lstrip("\ufeff").splitlines()[0] == "Quando;Quem;O que fez;Em quê;Detalhes"
        assert len(sheet.text.splitlines()) == 3
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run(
                "INSERT INTO audit_log (seller_id, id, action, subject) "
                "SELECT %s, gen_random_uuid(), '=evil()', 'x' FROM generate_series(1, 120)", [s.w.seller_id],
            )  # fmt: skip
        assert "'=evil()" in (await ana.get(f"{LOG}.csv")).text
        told, address, seen = "", LOG, 0
        while address:
            told = (await ana.get(address)).text
            seen += told.count('<th scope="row">')
            found = re.search(r'href="([^"]+)" rel="next"', told)
            address = found[1].replace("&amp;", "&") if found else ""
        assert seen == (await s.w.row("SELECT count(*) AS n FROM audit_log"))["n"]


@pytest.mark.parametrize("role", ["viewer", "warehouse", "operator"])
async def test_keys_and_the_log_are_for_managers_and_owners(role: str) -> None:
    async with site() as s:
        reader = await s.signed_in("r@loja.example", role)
        for path in (KEYS, LOG, f"{LOG}.csv"):
            assert (await reader.get(path)).status == 403, path
        assert (await reader.get(HOME)).status == 200
        assert (await reader.post(KEYS, name="x", **{"scope:stock:read": "yes"})).status == 403


async def test_what_a_browser_calls_itself() -> None:
    firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:131.0) Gecko/20100101 Firefox/131.0"
    edge = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0"
    assert [device_of(each) for each in (firefox, edge, "", "x<y>/1 z")] == [
        "Firefox · Windows",
        "Edge · Linux",
        "",
        "xy/1",
    ]
