"""A parcel's page for its buyer: who has the link sees where the parcel is, and nothing about anybody."""

from datetime import timedelta
from uuid import uuid4

from hub import parcel_link
from hub.model import Shipment, TrackingEvent, TrackingStatus
from hub.store import shipments, tracking
from hub.web.pages import parcel
from hub.web.pages.parcel import MOST, Turnstile
from tests.web.site import Site, site
from tests.world import World

S = TrackingStatus
NAME, STREET, EMAIL, CPF = "Beatriz Nogueira", "Rua das Laranjeiras", "bia@exemplo.com.br", "52998224725"


async def sent(s: Site, status: TrackingStatus = S.IN_TRANSIT) -> str:
    """A parcel with scans, and its address."""
    from hub.sandbox import Product

    w = s.w
    store = await s.connect("woocommerce", [Product(sku="A", title="Caneca", quantity=5, price_cents=3990)], seed=1)
    await w.open_stock(A=5)
    await store.buy("A")
    await w.settle()
    order = await w.row("SELECT id FROM orders")
    async with w.rt.db.seller(w.seller_id) as tx:
        await tx.run(
            """UPDATE orders SET buyer_name = %(name)s, buyer_document = %(cpf)s, told = told || jsonb_build_object(
                 'buyer', jsonb_build_object('name', %(name)s::text, 'email', %(email)s::text),
                 'ship_to', jsonb_build_object('recipient', %(name)s::text, 'street', %(street)s::text, 'number', '12',
                     'city', 'Campinas', 'state', 'SP', 'postal_code', '13010001'))""",
            {"name": NAME, "cpf": CPF, "email": EMAIL, "street": STREET},
        )
        made = Shipment(ref="AA123456785BR", carrier="Correios", tracking_code="AA123456785BR", status=status)
        made_id = await shipments.add(tx, store.account.id, order["id"], made, None, w.rt.now())
        await tx.run("UPDATE shipment SET deliver_by = now() + interval '3 days'")
    await scan(w, S.ACCEPTED, 30, "Objeto postado", "Curitiba")
    await scan(w, status, 5, f"Recebido por {NAME}, CPF {CPF}", f"{STREET}, 12")
    return f"/r/{parcel_link.token_of(w.rt.vault, w.seller_id, made_id)}"


async def scan(w: World, status: TrackingStatus, hours: float, words: str, place: str) -> None:
    row = await w.row("SELECT id FROM shipment")
    at = w.rt.now() - timedelta(hours=hours)
    event = TrackingEvent(at=at, status=status, raw_code=status, description=words, place=place, state="PR")
    async with w.rt.db.seller(w.seller_id) as tx:
        await tracking.put_events(tx, [(row["id"], "correios", [event])])


async def test_who_has_the_link_sees_where_the_parcel_is_and_nothing_about_anybody() -> None:
    async with site() as s:
        path = await sent(s)
        page = await s.reader().get(path)
        assert page.status == 200
        for told in (
            "Em trânsito",
            "AA123456785BR",
            "Correios",
            "Curitiba, PR",
            "Campinas, SP",
            "Loja de Teste",
            "Postado",
        ):
            assert told in page.text, told
        number = (await s.w.row("SELECT coalesce(number, ref) AS n FROM orders"))["n"]
        for private in (NAME, NAME.split(maxsplit=1)[0], STREET, EMAIL, CPF, "13010001", f">{number}<", "script"):
            assert private not in page.text, private
        english = await s.reader().get(path, headers={"Accept-Language": "en-GB,pt;q=0.5"})
        assert "In transit" in english.text
        assert 'lang="en"' in english.text


async def test_nothing_keeps_indexes_or_passes_the_address_on() -> None:
    async with site() as s:
        page = await s.reader().get(await sent(s))
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Robots-Tag"] == "noindex, nofollow, noarchive"
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert "script-src" not in page.headers["Content-Security-Policy"]
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert "Set-Cookie" not in page.headers


async def test_a_link_that_nobody_signed_leads_nowhere() -> None:
    async with site() as s:
        path = await sent(s)
        w, other = s.w, await s.other_seller()
        parcel_id = (await w.row("SELECT id FROM shipment"))["id"]
        forged = [
            path[:-1] + ("A" if path[-1] != "A" else "B"), "/r/x", f"/r/{'ç' * 9}",
            f"/r/{parcel_link.token_of(w.rt.vault, w.seller_id, uuid4())}",
            f"/r/{parcel_link.token_of(w.rt.vault, other, parcel_id)}",
        ]  # fmt: skip
        for each in forged:
            page = await s.reader().get(each)
            assert page.status == 404, each
            assert "Link não encontrado" in page.text
            assert page.headers["X-Robots-Tag"].startswith("noindex")


async def test_a_link_ends_some_days_after_its_parcel() -> None:
    async with site() as s:
        path = await sent(s, S.DELIVERED)
        start = s.w.rt.now()
        s.w.rt.now = lambda: start + timedelta(days=29)
        page = await s.reader().get(path)
        assert page.status == 200
        assert "Entregue" in page.text
        s.w.rt.now = lambda: start + timedelta(days=31)
        over = await s.reader().get(path)
        assert over.status == 410
        assert "Este link expirou" in over.text
        assert "AA123456785BR" not in over.text


async def test_who_asks_too_often_waits() -> None:
    async with site() as s:
        path = await sent(s)
        start = s.w.rt.now()
        s.w.rt.now = lambda: start
        reader = s.reader()
        for _ in range(MOST):
            assert (await reader.get(path)).status == 200
        page = await reader.get(path)
        assert page.status == 429
        assert page.headers["Retry-After"] == "60"
        s.w.rt.now = lambda: start + timedelta(seconds=61)
        assert (await reader.get(path)).status == 200


def test_each_address_has_its_own_turn() -> None:
    from datetime import UTC, datetime

    now, turnstile = datetime(2026, 3, 11, tzinfo=UTC), Turnstile()
    assert all(turnstile.lets("10.0.0.1", now) for _ in range(MOST))
    assert not turnstile.lets("10.0.0.1", now)
    assert turnstile.lets("10.0.0.2", now)


def test_what_holds_a_number_is_no_city() -> None:
    assert parcel.where("Curitiba", "PR") == "Curitiba, PR"
    assert parcel.where("Rua X, 12", "PR") == "PR"
    assert parcel.where(None, None) is None


async def test_the_last_day_for_pickup_stands_on_top() -> None:
    async with site() as s:
        path = await sent(s, S.AWAITING_PICKUP)
        last = s.w.rt.now() + timedelta(days=3)
        await scan(s.w, S.AWAITING_PICKUP, 0, f"Disponível para retirada até {last:%d/%m/%Y}", "Curitiba")
        page = await s.reader().get(path)
        assert "Disponível para retirada" in page.text
        assert f"Retire até <b>{last:%d/%m/%Y}</b>" in page.text


async def test_the_sellers_page_leads_to_it() -> None:
    async with site() as s:
        path = await sent(s)
        reader = await s.signed_in()
        assert f'href="{path}"' in (await reader.get("/envios")).text
