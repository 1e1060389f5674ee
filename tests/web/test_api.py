"""The REST API: a key of this seller with the scope sees this seller's stock, explained; everybody else a problem."""

import json
import secrets
from typing import Any

from hub.buffers import BufferKind
from hub.sandbox import Product
from hub.secrets import token_hash
from hub.store import api_keys
from hub.store.buffers import Rule
from jobs import buffers
from tests.web.site import Answer, Site, site

CANECA = Product(sku="CANECA/AZUL", title="Caneca azul", quantity=9, price_cents=3990)
PATH = "/api/v1/skus/CANECA/AZUL/stock"


async def key(s: Site, *scopes: str, seller_id: Any = None, made_by: Any = None) -> str:
    told = f"balcao_{secrets.token_urlsafe(32)}"
    async with s.w.rt.db.seller(seller_id or s.w.seller_id) as tx:
        await api_keys.add(tx, "planilha", token_hash(told), scopes, made_by)
    return told


async def ask(s: Site, told: str | None, path: str = PATH, **headers: str) -> Answer:
    named = {"Authorization": f"Bearer {told}"} if told else {}
    return await s.reader().get(path, headers={**named, **headers})


def problem(answer: Answer) -> dict[str, Any]:
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    told: dict[str, Any] = json.loads(answer.text)
    assert told["status"] == answer.status
    assert set(told) == {"type", "title", "status", "detail", "instance"}
    return told


def body(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200, answer.text
    told: dict[str, Any] = json.loads(answer.text)
    return told


async def stocked(s: Site) -> None:
    store = await s.connect("woocommerce", [CANECA], name="Loja da Ana", seed=1)
    await s.w.open_stock(**{"CANECA/AZUL": 9})
    await store.buy("CANECA/AZUL", 2)
    await s.until("SELECT FROM reservation")
    rule = Rule(scope="sku", scope_ref="CANECA/AZUL", account_id=None, kind=BufferKind.UNITS, value=3)
    await buffers.set_rule(s.w.rt, s.w.seller_id, rule)
    await s.w.settle()


async def test_a_skus_stock_is_told_step_by_step_in_both_languages() -> None:
    async with site() as s:
        await stocked(s)
        told = await key(s, "stock:read")
        answer = await ask(s, told)
        seen = body(answer)
        assert answer.headers["Content-Language"] == "pt-BR"
        assert seen["levels"] == [{"warehouse": "principal", "on_hand": 9, "reserved": 2, "free": 7}]
        assert [held["quantity"] for held in seen["reservations"]] == [2]
        assert seen["shortages"] == []
        (slot,) = seen["slots"]
        assert (slot["account"]["name"], slot["available"], slot["expected"]) == ("Loja da Ana", 4, 4)
        assert [step["kind"] for step in slot["steps"]] == ["warehouse", "together", "units", "shown"]
        assert slot["steps"][2]["text"] == "Margem de segurança (produto) de 3: resta 4."
        assert slot["steps"][2]["params"]["left"] == 4
        english = body(await ask(s, told, **{"Accept-Language": "en-GB,en;q=0.9"}))
        assert english["slots"][0]["steps"][2]["text"] == "Safety buffer (product) of 3: leaves 4."
        (row,) = await s.w.rows("SELECT last_used_at FROM api_key")
        assert row["last_used_at"] is not None


async def test_without_a_key_in_force_nothing_is_told() -> None:
    async with site() as s:
        await stocked(s)
        told = await key(s, "stock:read")
        for wrong in (None, "x", told[:-1], told + "x", "balcao_" + "a" * 500, "ção"):
            answer = await ask(s, wrong)
            assert answer.status == 401
            assert problem(answer)["type"] == "urn:balcao:problem:unauthorized"
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        basic = await s.reader().get(PATH, headers={"Authorization": f"Basic {told}"})
        assert basic.status == 401
        (row,) = await s.w.rows("SELECT id FROM api_key")
        async with s.w.rt.db.seller(s.w.seller_id) as tx:
            assert await api_keys.revoke(tx, row["id"])
            assert not await api_keys.revoke(tx, row["id"])
        assert (await ask(s, told)).status == 401


async def test_a_key_without_the_scope_is_told_which() -> None:
    async with site() as s:
        answer = await ask(s, await key(s, "orders:read"))
        assert answer.status == 403
        assert problem(answer)["detail"] == "A chave não tem o escopo stock:read."
        assert 'scope="stock:read"' in answer.headers["WWW-Authenticate"]


async def test_another_sellers_sku_is_not_there() -> None:
    async with site() as s:
        await stocked(s)
        other = await s.other_seller()
        answer = await ask(s, await key(s, "stock:read", seller_id=other), **{"Accept-Language": "en"})
        assert answer.status == 404
        assert problem(answer)["detail"] == "There is no SKU CANECA/AZUL."
        unknown = await ask(s, await key(s, "stock:read"), "/api/v1/skus/NADA/stock")
        assert problem(unknown)["detail"] == "Não há SKU NADA."


async def test_what_the_api_does_not_answer_is_a_problem_too() -> None:
    async with site() as s:
        assert problem(await s.reader().get("/api/v1/nothing"))["status"] == 404
        reader = s.reader()
        async with reader.session.delete(s.base + PATH) as told:
            assert told.status == 405
            assert told.content_type == "application/problem+json"
