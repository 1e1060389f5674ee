"""Accounts by keys, looked at before anything is kept; changed, disconnected, and come back."""

from hub.sandbox import Product
from jobs import connect
from tests.web.site import site
from tests.web.test_connecting import fields, rows, vendor

SHELF = [Product(sku="CANECA", title="Caneca", quantity=5, price_cents=1990)]


async def test_wrong_keys_are_explained_and_nothing_is_kept() -> None:
    async with site() as s:
        reader = await s.signed_in()
        v = await vendor(s, "woocommerce")
        await reader.get("/contas/nova?canal=woocommerce")
        told = {**v.typed, "consumer_secret": "cs_errado"}
        wrong = await reader.post("/contas/nova", channel="woocommerce", name="Loja", **fields(told))
        assert wrong.status == 422
        assert "WooCommerce recusou o acesso" in wrong.text
        assert "nada foi guardado" in wrong.text
        assert v.base in wrong.text  # what was typed stays, but what is secret
        assert "cs_errado" not in wrong.text
        v.sandbox.knobs.down = True
        away = await reader.post("/contas/nova", channel="woocommerce", name="Loja", **fields(v.typed))
        assert away.status == 303  # it says nothing about the keys: kept, and asked again later
        path = away.headers["Location"]
        page = (await reader.get(path)).text
        assert "Loja foi guardada, mas ainda não está ligada" in page
        assert "nada é lido nem escrito" in page
        assert "tente de novo mais tarde" in page
        steps = (await reader.get("/primeiros-passos")).text  # what never worked is no step done: it leads there
        assert ("Lendo os anúncios" in steps, f'href="{path}"' in steps) == (False, True)
        v.sandbox.knobs.down = False
        await reader.post(f"{path}/verificar")
        page = (await reader.get(path)).text
        assert ("respondeu: a conta é" in page, "nada é lido nem escrito" in page) == (True, False)
        assert await rows(s, "SELECT FROM account WHERE external_id IS NOT NULL AND held_reason IS NULL")
        assert f'href="{path}"' not in (await reader.get("/primeiros-passos")).text
        nobody = {name: value.replace(v.base, "http://127.0.0.1:9") for name, value in v.typed.items()}
        away = await reader.post("/contas/nova", channel="woocommerce", name="Vazia", **fields(nobody))
        path = away.headers["Location"]
        for where in (path, "/contas", "/sincronizacao"):
            text = (await reader.get(where)).text
            assert ("127.0.0.1 não aceita conexão" in text, "no connection" in text) == (True, False), where
        assert "não ligada: o canal não respondeu" in (await reader.get("/")).text
        await reader.post(f"{path}/desligar", sure="yes")
        await s.w.rows("DELETE FROM account WHERE name = 'Vazia' RETURNING id")
        taken = await reader.post("/contas/nova", channel="woocommerce", name="loja", **fields(v.typed))
        assert "Já há uma conta chamada loja" in taken.text
        twice = await reader.post("/contas/nova", channel="woocommerce", **fields(v.typed))
        assert "já está ligada aqui, como Loja" in twice.text
        assert len(await rows(s, "SELECT FROM account")) == 1
        assert "Contas" in (await reader.get("/contas?tipo=storefront")).text
        assert "Nenhuma conta deste tipo" in (await reader.get("/contas?tipo=erp")).text
        picker = (await reader.get("/contas/nova?tipo=carrier")).text
        assert ("Correios" in picker, "Shopify" in picker) == (True, False)


async def test_a_single_use_key_that_was_traded_is_not_thrown_away() -> None:
    async with site() as s:
        reader = await s.signed_in()
        v = await vendor(s, "tiktok")
        told = {**v.sandbox.credentials(v.base), "shop_id": "123"}
        await reader.get("/contas/nova?canal=tiktok&modo=chaves")
        made = await reader.post("/contas/nova", channel="tiktok", **fields(told))
        assert made.status == 303  # the refresh token was good, and is used up: what is wrong can be mended
        path = made.headers["Location"]
        page = (await reader.get(path)).text
        assert "authorized are" in page
        (kept,) = await rows(s, "SELECT token_generation, token_sealed FROM credential")
        assert kept["token_sealed"]
        await reader.get(f"{path}/religar")
        mended = await reader.post(f"{path}/religar", c_shop_id=v.sandbox.shop_id)
        assert mended.headers["Location"] == path, mended.text
        assert "respondeu: a conta é" in (await reader.get(path)).text
        (after,) = await rows(s, "SELECT token_sealed FROM credential")
        assert after["token_sealed"] == kept["token_sealed"]  # the consent is the same: so is its token
        assert v.sandbox.renewals == 1


async def test_keys_are_replaced_when_they_are_of_the_same_shop() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
        other = await vendor(s, "woocommerce", seed=2)
        reader, path = await s.signed_in(), f"/contas/{one.account.id}"
        form = (await reader.get(f"{path}/religar")).text
        told = one.sandbox.credentials(str(one.server.make_url("")).rstrip("/"))
        assert told["consumer_secret"] not in form
        before = await rows(s, "SELECT sealed FROM credential")
        refused = await reader.post(f"{path}/religar", **fields(other.typed))
        assert refused.status == 422
        assert "a conta Um é" in refused.text
        other.sandbox.knobs.down = True
        away = await reader.post(f"{path}/religar", **fields(other.typed))
        assert "Nada mudou: tente de novo" in away.text
        assert await rows(s, "SELECT sealed FROM credential") == before
        address = (await rows(s, "SELECT callback_hash FROM account"))[0]
        same = await reader.post(f"{path}/religar", c_store_url=told["store_url"], c_consumer_secret="")
        assert same.headers["Location"] == path, same.text
        assert (await rows(s, "SELECT callback_hash FROM account"))[0] == address
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "live"
        assert await connect.account_check(s.w.rt, one.account)


async def test_an_account_is_renamed_and_its_notices_registered_again() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
        await s.connect("woocommerce", SHELF, name="Dois", seed=2)
        reader, path = await s.signed_in(), f"/contas/{one.account.id}"
        await reader.post(f"{path}/nome", name="Loja da Ana")
        assert "A conta agora se chama Loja da Ana" in (await reader.get(path)).text
        await reader.post(f"{path}/nome", name="dois")
        assert "Já há uma conta chamada dois" in (await reader.get(path)).text
        await reader.post(f"{path}/nome", name=" ")
        assert "Escreva um nome" in (await reader.get(path)).text
        page = (await reader.get(path)).text
        assert "registrado" in page
        hooks = vars(one.sandbox)["hooks"]
        hooks.clear()  # as a store does that lost them
        await reader.post(f"{path}/avisos")
        page = (await reader.get(path)).text
        assert "registros feitos ou consertados" in page
        assert hooks
        await reader.post(f"{path}/pausar")
        await reader.post(f"{path}/avisos")
        assert "os avisos são registrados quando ela está ligada" in (await reader.get(path)).text


async def test_a_disconnected_account_keeps_its_history_and_comes_back_with_it() -> None:
    async with site() as s:
        one = await s.connect("woocommerce", SHELF, name="Um", seed=1)
        await s.w.open_stock(CANECA=5)
        await one.buy("CANECA", 2)
        await s.w.settle()
        reader, path = await s.signed_in(), f"/contas/{one.account.id}"
        told = one.sandbox.credentials(str(one.server.make_url("")).rstrip("/"))
        ask = (await reader.get(f"{path}/desligar")).text
        assert "Pedidos abertos que seguram estoque: 1, com 2 unidades" in ask
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "live"  # asked, not done
        assert vars(one.sandbox)["hooks"]
        assert (await reader.post(f"{path}/desligar")).headers["Location"] == path
        assert not vars(one.sandbox)["hooks"]
        page = (await reader.get(path)).text
        assert "foi desligada. A história dela fica" in page
        assert not await rows(s, "SELECT FROM credential")
        assert "Desligadas" in (await reader.get("/contas")).text
        for verb in ("verificar", "retomar", "pausar", "avisos", "desligar"):
            assert (await reader.post(f"{path}/{verb}")).status == 303, verb
        assert (await s.w.rt.account(s.w.seller_id, one.account.id)).status == "closed"
        lacking = await reader.post(f"{path}/religar", c_store_url=told["store_url"])
        assert lacking.status == 422  # nothing is kept of a disconnected account's keys
        assert "Falta preencher" in lacking.text

        await reader.get("/contas/nova?canal=woocommerce")
        again = await reader.post("/contas/nova", channel="woocommerce", **fields(told))
        assert again.headers["Location"] == path  # the same shop is the same account
        assert "a história dela continua" in (await reader.get(path)).text
        account = await s.w.rt.account(s.w.seller_id, one.account.id)
        assert (account.status, account.stock_role) == ("preview", "target")
        assert not await rows(s, "SELECT FROM stock_slot WHERE approved_at IS NOT NULL")
        await s.w.settle()
        (count,) = await rows(s, "SELECT count(*) AS orders FROM orders")
        assert count["orders"] == 1  # not once more
        assert "Primeira leitura" in (await reader.get(path)).text
        await reader.post(f"{path}/aprovar", seen="yes")
        await s.w.settle()
        assert one.sandbox.shelf() == {"CANECA": 3}
        await s.w.kept()
        await reader.post(f"{path}/desligar")
        back = await reader.post(f"{path}/religar", **fields(told))
        assert back.headers["Location"] == path, back.text
