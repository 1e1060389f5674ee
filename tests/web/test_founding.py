"""An empty installation: everything leads to the first user, made once, at the machine or with a code."""

import asyncio
from dataclasses import replace
from typing import Any

from hub.web import auth
from hub.web.pages.founding import CODE, PER_ADDRESS
from jobs import founding
from tests.web.site import Answer, Reader, Site, site

GOOD = {
    "name": "Ana Lima", "email": "Ana@Loja.example", "password": "quatro palavras bem minhas",
    "again": "quatro palavras bem minhas", "shop": "Loja da Ana", "document": "11.222.333/0001-81",
    "zone": "America/Manaus", "cep": "69020-030", "warehouse": "Galpão", "locale": "pt_BR",
}  # fmt: skip
FAR = {"X-Forwarded-For": "203.0.113.9"}


async def post(reader: Reader, headers: dict[str, str] | None = None, **told: Any) -> Answer:
    """The first page's form, sent."""
    fields = {"csrf": reader.csrf, **GOOD, **told}
    async with reader.session.post(
        reader.base + "/comecar", data=fields, headers=headers, allow_redirects=False
    ) as answer:
        return Answer(answer.status, await answer.text(), answer.headers, str(answer.url))


async def users(s: Site) -> list[str]:
    async with s.w.rt.db.people() as tx:
        return [row["email"] for row in await tx.all("SELECT email FROM app_user")]


async def test_every_page_leads_to_the_first_user_who_is_then_signed_in() -> None:
    async with site() as s:
        reader = s.reader()
        for path in ("/", "/pedidos", "/entrar", "/contas/nova?canal=woocommerce"):
            sent = await reader.get(path)
            assert (sent.status, sent.headers["Location"]) == (303, "/comecar"), path
        page = await reader.get("/comecar")
        assert page.status == 200
        assert CODE not in page.text, "who sits at the machine needs no code"
        wrong = await post(reader, document="123", cep="1", password="curta", again="curta")
        assert wrong.status == 422
        for sentence in ("Não é um CPF", "Não é um CEP", "Curta demais", 'value="Loja da Ana"'):
            assert sentence in wrong.text, sentence
        assert "curta" not in wrong.text, "a password does not come back"
        made = await post(reader)
        assert (made.status, made.headers["Location"]) == (303, "/")
        assert "Loja da Ana" in (await reader.get("/")).text
        assert await users(s) == ["ana@loja.example"]
        async with s.w.rt.db.dispatch() as tx:
            seller = await tx.value("SELECT seller_id FROM seller WHERE name = 'Loja da Ana'")
        async with s.w.rt.db.seller(seller) as tx:
            warehouse = await tx.one("SELECT name, postal_code, state FROM warehouse")
            policy = await tx.one("SELECT sender FROM freight_policy")
            assert await tx.value("SELECT cnpj FROM company") == "11222333000181"
            assert await tx.value("SELECT settings->>'zone' FROM seller WHERE seller_id = %s", [seller]) == (
                "America/Manaus"
            )
            assert await tx.value("SELECT role FROM membership") == "owner"
        assert warehouse == {"name": "Galpão", "postal_code": "69020030", "state": "AM"}
        assert policy is not None
        assert policy["sender"]["address"]["postal_code"] == "69020030"
        # and from now on it is gone
        other = s.reader()
        again = await other.get("/comecar")
        assert (again.status, again.headers["Location"]) == (303, "/")
        await other.get("/entrar")
        assert (await post(other, email="eva@mal.example")).status == 404
        assert await users(s) == ["ana@loja.example"]


async def test_from_elsewhere_only_with_the_code_that_the_log_told() -> None:
    async with site() as s:
        first, code = await founding.new_code(s.w.rt), await founding.new_code(s.w.rt)
        assert first is not None
        assert code is not None
        async with s.w.rt.db.people() as tx:
            kept = [bytes(row["code_hash"]) for row in await tx.all("SELECT code_hash FROM setup_code")]
        assert len(kept) == 2
        assert code.encode() not in kept, "kept only hashed"
        reader = s.reader()
        page = await reader.get(f"/comecar?{CODE}={code}", headers=FAR)
        assert f'value="{code}"' in page.text
        for told in ("", "x" * 43, code[:-1], code + "x"):
            refused = await post(reader, FAR, **{CODE: told})
            assert refused.status == 403, told
            assert "Este código não confere" in refused.text
        assert await users(s) == []
        # what a proxy, a page from elsewhere, or another machine look like
        for headers in ({"Forwarded": "for=203.0.113.9"}, {"X-Real-IP": "203.0.113.9"}, {"Via": "1.1 proxy"},
                        {"Host": "loja.example"}, {"Host": "mal.example:8080"}):  # fmt: skip
            assert (await post(reader, headers)).status == 403, headers
        kept_url = s.w.rt.policy
        s.w.rt.policy = replace(kept_url, public_url="http://balcao.loja.example")
        assert (await post(reader)).status == 403, "an installation with a public address asks everybody"
        s.w.rt.policy = kept_url
        assert await users(s) == []
        assert (await post(reader, FAR, **{CODE: f" {code} "})).status == 303
        async with s.w.rt.db.people() as tx:
            assert await tx.value("SELECT count(*) FROM setup_code") == 0, "none is good any more"
        assert await founding.new_code(s.w.rt) is None


async def test_guessing_the_code_waits_even_with_the_right_one() -> None:
    async with site() as s:
        code = await founding.new_code(s.w.rt)
        reader = s.reader()
        await reader.get("/comecar", headers=FAR)
        for _ in range(PER_ADDRESS):
            assert (await post(reader, FAR, **{CODE: "errado"})).status == 403
        waiting = await post(reader, FAR, **{CODE: code})
        assert waiting.status == 429
        assert "espere um quarto de hora" in waiting.text
        assert await users(s) == []
        now = s.w.rt.now
        s.w.rt.now = lambda: now() + auth.WINDOW * 1.1
        await reader.get("/comecar", headers=FAR)
        assert (await post(reader, FAR, **{CODE: code})).status == 303


async def test_of_two_at_once_one_wins_and_the_other_is_told() -> None:
    async with site() as s:
        one, other = s.reader(), s.reader()
        for reader in (one, other):
            await reader.get("/comecar")
        told = await asyncio.gather(post(one), post(other, email="eva@mal.example", shop="Loja da Eva"))
        where = sorted(answer.headers["Location"] for answer in told)
        assert where == ["/", "/entrar"]
        assert len(await users(s)) == 1
        async with s.w.rt.db.dispatch() as tx:
            assert await tx.value("SELECT count(*) FROM seller WHERE name IN ('Loja da Ana', 'Loja da Eva')") == 1
        late = one if told[0].headers["Location"] == "/entrar" else other
        assert "Outra pessoa acabou de criar" in (await late.get("/entrar")).text


async def test_the_form_of_another_page_is_refused() -> None:
    async with site() as s:
        reader = s.reader()
        await reader.get("/comecar")
        reader.csrf = "x" * 43
        assert (await post(reader)).status == 403
        assert await users(s) == []
