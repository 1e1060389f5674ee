"""Connecting channels: by authorization with every vendor's own dance, by keys, again, and not any more."""

import importlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

import adapters
from hub.faults import ChannelError, Fault
from hub.sandbox import Product, Sandbox
from jobs.demo import flow
from tests.web.site import Answer, Reader, Site, site

SHELF = [Product(sku="CANECA", title="Caneca", quantity=5, price_cents=1990)]
AUTHORIZED = [name for name in adapters.names() if adapters.get(name).oauth]
EXTRA = {"amazon": {"application_id": "amzn1.sp.solution.balcao"}}  # asked for by the consent page alone


@dataclass
class Vendor:
    """A sandbox with its consent page, and what a seller types before going there."""

    channel: str
    sandbox: Any
    base: str
    typed: dict[str, str]


async def vendor(s: Site, channel: str, **options: Any) -> Vendor:
    """Start a sandbox that knows the hub's return address, as vendors do that ask for it when the app is made."""
    sandbox: Sandbox = importlib.import_module(f"adapters.{channel}.sandbox").create(SHELF, **options)
    server = TestServer(sandbox.app)
    await s.w.stack.enter_async_context(server)
    base = str(server.make_url("")).rstrip("/")
    if consents := getattr(sandbox, "consents", None):
        consents.back = f"{s.base}/contas/retorno/{channel}"
    oauth = adapters.get(channel).oauth
    told = {**sandbox.credentials(base), **EXTRA.get(channel, {})}
    untyped = oauth.untyped() if oauth else ()
    return Vendor(channel, sandbox, base, {name: value for name, value in told.items() if name not in untyped})


def fields(told: dict[str, str]) -> dict[str, str]:
    return {f"c_{name}": value for name, value in told.items()}


async def leave(reader: Reader, v: Vendor, path: str = "/contas/autorizar", **more: str) -> str:
    """Send the form; answers the vendor's page, where the browser goes on to by itself."""
    answer = await reader.post(path, channel=v.channel, **fields(v.typed), **more)
    assert answer.status == 200, (v.channel, answer.text)
    seconds, _, page = answer.headers["Refresh"].partition(";url=")
    assert seconds == "0"
    assert page.startswith(v.base), page
    return str(page)


async def say_yes(page: str) -> str:
    """What the vendor sends the browser back to, after the seller said yes (or no)."""
    async with aiohttp.ClientSession() as browser, browser.get(page, allow_redirects=False) as answer:
        assert answer.status == 302, await answer.text()
        return str(answer.headers["Location"])


def path_of(back: str) -> str:
    told = urlsplit(back)
    return f"{told.path}?{told.query}"


async def dance(reader: Reader, v: Vendor, path: str = "/contas/autorizar", **more: str) -> Answer:
    return await reader.get(path_of(await say_yes(await leave(reader, v, path, **more))))


async def rows(s: Site, sql: Any, *params: object) -> list[dict[str, Any]]:
    return await s.w.rows(sql, *params)


async def test_every_vendors_authorization_leads_to_a_connected_account() -> None:
    assert len(AUTHORIZED) == 10
    async with site(public_url=None) as s:
        reader, vendors = await s.signed_in(), {}
        for channel in AUTHORIZED:
            v = vendors[channel] = await vendor(s, channel)
            form = (await reader.get(f"/contas/nova?canal={channel}")).text
            assert f"{s.base}/contas/retorno/{channel}" in form, channel
            assert 'name="c_refresh_token"' not in form, channel
            answer = await dance(reader, v)
            assert answer.status == 303, (channel, answer.text)
            page = (await reader.get(answer.headers["Location"])).text
            assert "respondeu: a conta é" in page, (channel, page)
        known = await rows(s, "SELECT channel, external_id, name, status FROM account ORDER BY id")
        assert [row["channel"] for row in known] == AUTHORIZED
        assert all(row["external_id"] for row in known)
        assert {row["channel"]: row["status"] for row in known if row["status"] != "preview"} == {"melhorenvio": "live"}
        kept = await rows(s, "SELECT used_at, sealed FROM consent")
        assert all(row["used_at"] and row["sealed"] is None for row in kept)
        await s.w.settle()
        unread = await rows(
            s, "SELECT a.channel, t.kind, t.error FROM task t JOIN account a ON a.id = t.account_id "
            "WHERE t.kind IN ('poll', 'listings') AND t.succeeded_at IS NULL"
        )  # fmt: skip
        assert not unread
        listed = await rows(s, "SELECT DISTINCT a.channel FROM listing l JOIN account a ON a.id = l.account_id")
        assert len(listed) == 9  # every one that sells

        # Where a vendor could not send anybody back to, nobody is sent away.
        far = await reader.get("/contas/nova?canal=bling", headers={"Host": "hub.lan"})
        assert "BALCAO_PUBLIC_URL" in far.text
        assert "Autorizar em" not in far.text

        # Typed once: the application is kept, and another shop of it asks for nothing more.
        again = (await reader.get("/contas/nova?canal=mercadolivre")).text
        assert "Aplicação já guardada" in again
        elsewhere = {"c_endpoint": vendors["bling"].base}  # where its secret is not sent
        assert "Falta preencher" in (await reader.post("/contas/autorizar", channel="mercadolivre", **elsewhere)).text
        other = vendors["mercadolivre"]
        other.sandbox.user_id, other.typed = 987654, {}
        answer = await dance(reader, other, name="Segunda loja")
        assert answer.status == 303, answer.text
        names = [row["name"] for row in await rows(s, "SELECT name FROM account WHERE channel = 'mercadolivre'")]
        assert names == ["Mercado Livre", "Segunda loja"]


async def test_an_answer_is_taken_once_in_time_and_from_who_asked_alone() -> None:
    async with site() as s:
        reader = await s.signed_in()
        v = await vendor(s, "mercadolivre")
        stranger = await s.signed_in("bia@loja.example", "owner", name="Bia")
        back = path_of(await say_yes(await leave(reader, v)))
        for wrong in (back.replace("state=", "state=0"), back + "x", "/contas/retorno/mercadolivre?code=1"):
            answer = await reader.get(wrong)
            assert answer.status == 409, wrong
            assert "não pertence a nenhuma autorização" in answer.text
        assert (await reader.get(back.replace("mercadolivre", "bling"))).status == 409
        assert (await reader.get("/contas/retorno/correios?state=x")).status == 404
        refused = await stranger.get(back)
        assert refused.status == 409
        assert "outra sessão" in refused.text
        again = s.reader()
        await again.sign_in("ana@loja.example")
        assert "outra sessão" in (await again.get(back)).text  # the same person, another browser
        assert (await s.reader().get(back)).headers["Location"].startswith("/entrar?next=")
        assert not await rows(s, "SELECT FROM account")
        assert (await reader.get(back)).status == 303
        replay = await reader.get(back)
        assert (replay.status, "já foi usada" in replay.text) == (409, True)
        assert "Começar de novo" in replay.text

        late = path_of(await say_yes(await leave(reader, await vendor(s, "bling"))))
        assert await rows(s, "SELECT FROM consent WHERE expires_at > now() + interval '14 minutes'")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            await tx.run("UPDATE consent SET expires_at = now()")
        expired = await reader.get(late)
        assert (expired.status, "15 minutos" in expired.text) == (409, True)

        refusing = await vendor(s, "magalu")
        refusing.sandbox.consents.refuses = True
        no = await dance(reader, refusing)
        assert no.status == 422
        assert "recusada na página do canal. The seller said no." in no.text
        refusing.sandbox.consents.refuses = False
        page = await leave(reader, refusing)
        bad = await reader.get(path_of(await say_yes(page)).replace("code=", "code=0"))
        assert bad.status == 422
        assert "recusou o acesso" in bad.text
        lacking = await leave(reader, await vendor(s, "shopee"))
        told = path_of(await say_yes(lacking)).replace("&shop_id=", "&main_account_id=")
        assert "veio sem o que precisamos: shop_id" in (await reader.get(told)).text
        assert len(await rows(s, "SELECT FROM account")) == 1


async def test_shopifys_answer_is_signed_and_pkce_binds_the_code_to_who_asked() -> None:
    async with site() as s:
        reader = await s.signed_in()
        shop = await vendor(s, "shopify")
        back = path_of(await say_yes(await leave(reader, shop)))
        forged = await reader.get(back.replace("shop=", "shop=x"))
        assert (forged.status, "not signed" in forged.text) == (422, True)
        assert not await rows(s, "SELECT FROM account")

        ml = await vendor(s, "mercadolivre")
        page = await leave(reader, ml)
        asked = parse_qs(urlsplit(page).query)
        assert asked["code_challenge_method"] == ["S256"]
        mine = path_of(await say_yes(page))
        other = path_of(await say_yes(await leave(reader, ml)))
        code = parse_qs(urlsplit(mine).query)["code"][0]
        stolen = f"/contas/retorno/mercadolivre?code={code}&state={parse_qs(urlsplit(other).query)['state'][0]}"
        assert (await reader.get(stolen)).status == 422  # another verifier than the code was given for


async def test_a_shop_is_connected_once_and_a_reconnection_takes_the_same_shop_only() -> None:
    async with site() as s:
        reader = await s.signed_in()
        v = await vendor(s, "mercadolivre")
        path = (await dance(reader, v, name="Loja ML")).headers["Location"]
        twice = await dance(reader, v)
        assert twice.status == 422
        assert "já está ligada aqui, como Loja ML" in twice.text
        neighbour = await s.other_seller()
        await s.person("caio@loja.example", seller_id=neighbour)
        caio = s.reader()
        await caio.sign_in("caio@loja.example")
        elsewhere = await dance(caio, v)
        assert "por outro vendedor desta instalação" in elsewhere.text
        assert "Loja ML" not in elsewhere.text
        assert len(await rows(s, "SELECT FROM account")) == 1

        # The channel refuses: held. Another shop's consent changes nothing; the same shop's lets it go on.
        v.sandbox.tokens.clear()
        v.sandbox.refresh = "TG-revogado"
        await reader.post(f"{path}/verificar")
        account = await s.w.rt.account(s.w.seller_id, (await rows(s, "SELECT id FROM account"))[0]["id"])
        await s.w.rt.hold(account, ChannelError(Fault.AUTH, "invalid_grant", "revogado"))
        before = (await rows(s, "SELECT token_sealed, sealed FROM credential"))[0]
        form = (await reader.get(f"{path}/religar")).text
        assert v.sandbox.options["client_secret"] not in form
        assert "vazio: fica o que está guardado" in form
        other = await vendor(s, "mercadolivre", user_id=987654)
        refused = await dance(reader, other, f"{path}/autorizar")
        assert refused.status == 422
        assert "987654" in refused.text
        assert f"a conta Loja ML é {account.external_id}" in refused.text
        assert (await rows(s, "SELECT token_sealed, sealed FROM credential"))[0] == before
        kept = Vendor(v.channel, v.sandbox, v.base, {})  # nothing is typed again
        assert (await dance(reader, kept, f"{path}/autorizar")).headers["Location"] == path
        after = await s.w.rt.account(s.w.seller_id, account.id)
        assert (after.status, after.external_id) == ("preview", account.external_id)
        assert (await rows(s, "SELECT token_sealed FROM credential"))[0]["token_sealed"] != before["token_sealed"]
        assert not await rows(s, "SELECT FROM alert WHERE kind = 'account_held' AND resolved_at IS NULL")


@pytest.mark.parametrize("role", ["viewer", "operator", "warehouse"])
async def test_who_may_not_connect_may_not_authorize_or_disconnect(role: str) -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, approve=False)
        reader, path = await s.signed_in(role=role), f"/contas/{one.account.id}"
        for page in ("/contas/retorno/bling?state=x", f"{path}/religar", f"{path}/desligar"):
            assert (await reader.get(page)).status == 403, page
        for verb in ("/contas/autorizar", f"{path}/autorizar", f"{path}/religar", f"{path}/desligar", f"{path}/nome",
                     f"{path}/avisos"):  # fmt: skip
            assert (await reader.post(verb, channel="bling", name="x")).status == 403, verb
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "preview"


async def test_a_demonstration_connects_no_real_channel_and_says_so() -> None:
    async with site() as s:
        v = await vendor(s, "woocommerce")
        user = await s.person("ana@loja.example")
        reader = s.reader()
        await reader.sign_in("ana@loja.example")
        demo = await flow.open_(s.w.rt, user, "pt_BR")
        await reader.post("/loja", seller=str(demo))
        await reader.get("/contas/nova?canal=woocommerce")
        answer = await reader.post("/contas/nova", channel="woocommerce", **fields(v.typed))
        assert answer.status == 422
        assert "Uma demonstração não liga canais de verdade: ligue na sua própria loja." in answer.text
