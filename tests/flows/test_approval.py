"""Only what a person approved is ever written, slot by slot."""

from unittest.mock import patch

import pytest

from adapters.woocommerce.sandbox import Woo
from hub.approval import Kind, Scope
from hub.http import AccountApi
from hub.sandbox import Product
from hub.store import approvals, stock
from hub.store.accounts import Account
from jobs import approval, linking, poll
from jobs.connect import Refused
from jobs.runtime import Runtime
from tests.world import world

SHELF = [
    Product(sku="CANECA", title="Caneca de porcelana", quantity=10, price_cents=3990),
    Product(sku="PRATO", title="Prato raso", quantity=4, price_cents=2590),
    Product(sku="COPO", title="Copo americano", quantity=3, price_cents=590),
    Product(sku="SEM-SKU", title="Avulso", quantity=2, price_cents=100),
]
NEW = Product(sku="BULE", title="Bule", quantity=5, price_cents=100)
COUNTED = {"CANECA": 7, "PRATO": 0, "COPO": 9}


async def test_a_preview_tells_every_slot_what_it_would_get_and_why() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, approve=False, seed=1)
        await w.connect("mercadolivre", SHELF[:1], approve=False, seed=2)
        await w.open_stock(**COUNTED)
        await w.pass_time()
        ref = await one.buy("CANECA", 2)
        await w.hurry("poll")
        await w.settle()
        async with w.rt.db.seller(w.seller_id) as tx:
            counts = await approvals.counts(tx, one.account.id)
        assert {name: told for name, told in counts.items() if told} == {"zero": 1, "less": 1, "more": 1, "unlinked": 1}

        rows = await approval.preview(w.rt, one.account)
        assert [(row["change"], row["sku"], row["shows"], row["desired"]) for row in rows] == [
            ("zero", "PRATO", 4, 0), ("less", "CANECA", 8, 5), ("more", "COPO", 3, 9), ("unlinked", None, 2, None),
        ]  # fmt: skip
        assert rows[1]["why"][0] == "principal: estoque 7, reservado 2, livre 5."
        assert rows[3]["why"] == ["Este anúncio não está ligado a nenhum SKU: nada é enviado."]
        english = await approval.preview(w.rt, one.account, change="unlinked", locale="en")
        assert english[0]["why"] == ["This listing is linked to no SKU: nothing is sent."]

        paged = [row async for row in approval.whole_preview(w.rt, one.account)]
        first = await approval.preview(w.rt, one.account, limit=3)
        rest = await approval.preview(w.rt, one.account, after=first[-1]["id"], limit=3)
        assert [row["id"] for row in [*first, *rest]] == [row["id"] for row in paged] == [row["id"] for row in rows]
        assert (await w.order(ref))["status"] == "paid"


async def test_two_places_of_one_sku_are_shown_as_repeated() -> None:
    twin = Product(sku="CANECA-2", title="Caneca igual", quantity=10, price_cents=3990)
    async with world() as w:
        one = await w.connect("woocommerce", [SHELF[0], twin], approve=False, seed=1)
        await w.open_stock(CANECA=7)
        listing = await w.row("SELECT id, ref FROM listing WHERE channel_sku = 'CANECA-2'")
        await linking.link(w.rt, w.seller_id, listing["id"], "CANECA")
        told = await approval.preview(w.rt, one.account, change="duplicate")
        other = await w.row("SELECT ref FROM listing WHERE channel_sku = 'CANECA'")
        assert {row["ref"]: row["twins"] for row in told} == {
            listing["ref"]: [other["ref"]], other["ref"]: [listing["ref"]],
        }  # fmt: skip


@pytest.mark.parametrize(
    ("scope", "written"),
    [
        (Scope(Kind.NO_DECREASE), {"CANECA": 10, "PRATO": 4, "COPO": 9}),
        (Scope(Kind.SKU, ("CANECA", "PRATO")), {"CANECA": 7, "PRATO": 0, "COPO": 3}),
        (Scope(Kind.CATEGORY, ("Louça",)), {"CANECA": 10, "PRATO": 0, "COPO": 3}),
    ],
    ids=lambda told: told.kind.value if isinstance(told, Scope) else "",
)
async def test_slots_outside_of_the_scope_are_never_written(scope: Scope, written: dict[str, int]) -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, approve=False, seed=1)
        two = await w.connect("mercadolivre", SHELF[:3], seed=2)
        await w.open_stock(**COUNTED)
        async with w.rt.db.seller(w.seller_id) as tx:
            await stock.sku_put(tx, "PRATO", category="Louça")
        await approval.approve(w.rt, one.account, [scope])
        await w.at_rest()
        shelf = one.shelf()
        assert {sku: shelf[sku] for sku in written} == written
        before = one.writes()
        await two.buy("COPO", 1)
        await two.buy("CANECA", 1)
        await w.at_rest()
        followed = {sku: units - (sku != "PRATO") if units == COUNTED[sku] else units for sku, units in written.items()}
        assert {sku: one.shelf()[sku] for sku in written} == followed
        assert one.writes() - before == sum(followed[sku] != written[sku] for sku in written)


async def test_what_is_listed_later_waits_unless_the_whole_account_was_approved() -> None:
    async with world() as w:
        some = await w.connect("woocommerce", SHELF[:1], approve=False, name="Parte", seed=1)
        whole = await w.connect("woocommerce", SHELF[:1], name="Inteira", seed=2)
        await w.open_stock(CANECA=7, BULE=2)
        await approval.approve(w.rt, some.account, [Scope(Kind.SKU, ("CANECA",))])
        for channel in (some, whole):
            vars(Woo)["_shelve"](channel.sandbox, NEW)
        await w.hurry("listings", "reconcile")
        await w.at_rest()
        assert some.shelf() == {"CANECA": 7, "BULE": 5}
        assert whole.shelf() == {"CANECA": 7, "BULE": 2}


async def test_a_revoked_slot_is_not_written_even_by_a_worker_that_had_claimed_it() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF[:2], seed=1)
        await w.open_stock(CANECA=7, PRATO=3)

        newest = poll.newest
        revoked: list[int] = []

        async def take_back(rt: Runtime, account: Account, api: AccountApi) -> None:
            if not revoked:
                revoked.append(await approval.revoke(rt, account, [Scope(Kind.SKU, ("CANECA",))]))
            await newest(rt, account, api)

        with patch.object(poll, "newest", take_back):  # asked before absolute writes, when their slots are claimed
            await w.count(CANECA=5, PRATO=2)
            await w.settle()
        assert revoked == [1]
        assert one.shelf() == {"CANECA": 7, "PRATO": 2}

        await approval.approve(w.rt, one.account, [Scope(Kind.SKU, ("CANECA",))])
        await w.at_rest(CANECA=5, PRATO=2)


async def test_revoking_everything_brings_the_preview_back() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF[:2], seed=1)
        await w.open_stock(CANECA=7, PRATO=3)
        assert await approval.revoke(w.rt, one.account) == 2
        assert (await w.account(one)).status == "preview"
        await w.count(CANECA=5)
        await w.at_rest()
        assert one.shelf() == {"CANECA": 7, "PRATO": 3}


async def test_a_scope_that_names_nothing_there_is_refused_and_changes_nothing() -> None:
    async with world() as w:
        one = await w.connect("woocommerce", SHELF, approve=False, seed=1)
        await w.open_stock(**COUNTED)
        for scope in (Scope(Kind.SKU, ("CANECA", "XICARA")), Scope(Kind.CATEGORY, ("Louça",))):
            with pytest.raises(Refused, match=scope.names[-1]):
                await approval.approve(w.rt, one.account, [scope])
        with pytest.raises(Refused, match="no-decrease"):
            await approval.revoke(w.rt, one.account, [Scope(Kind.NO_DECREASE)])
        assert (await w.account(one)).status == "preview"
        assert await w.rows("SELECT id FROM stock_slot WHERE approved_at IS NOT NULL") == []
