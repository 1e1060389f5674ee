"""Envios e prazos: what must leave first, and the parcels that need a person, with the evidence."""

import re
from datetime import timedelta
from functools import partial
from unittest.mock import patch

from hub.model import TrackingStatus
from hub.sandbox import Product
from hub.web import deadline_words, words
from hub.web.i18n import Language
from hub.web.pages.keyset import part
from jobs import deadlines
from tests.flows.test_deadlines import parcel, told
from tests.web.site import Site, site

S = TrackingStatus
CANECA = Product(sku="CANECA", title="Caneca de porcelana", quantity=50, price_cents=3990)


async def shop(s: Site, orders: int) -> list[str]:
    """So many paid orders, the first the most urgent: an hour late, then an hour, two, three … left."""
    store = await s.connect("woocommerce", [CANECA], seed=1)
    await s.w.open_stock(CANECA=50)
    refs = [await store.buy("CANECA") for _ in range(orders)]
    await s.w.settle()
    now = s.w.rt.now()
    async with s.w.rt.db.seller(s.w.seller_id) as tx:
        for number, ref in enumerate(refs):
            at = now + timedelta(hours=number - 1) + timedelta(minutes=30 * bool(number))
            await tx.run(
                "UPDATE orders SET told = jsonb_set(told, '{ship_by}', to_jsonb(%s::text)), deadline_at = now() "
                "WHERE ref = %s", [at.isoformat(), ref],
            )  # fmt: skip
    await look(s)
    return refs


async def look(s: Site) -> None:
    while await deadlines.turn(s.w.rt):
        pass


def numbers(text: str) -> list[str]:
    return re.findall(r'<th scope="row"><a href="/pedidos/[^"]+">([^<]+)</a>', text)


async def test_what_must_leave_first_stands_first_and_leaves_when_it_left() -> None:
    async with site() as s:
        refs = await shop(s, 6)
        reader = await s.signed_in()
        shown = await reader.get("/prazos")
        assert shown.status == 200
        assert numbers(shown.text) == refs
        for told_ in ("atrasado", "menos de 1 hora", "menos de 4 horas", "no prazo", "canal"):
            assert told_ in shown.text, told_
        await s.w.channels[0].act("complete", order_ref=refs[0])
        await s.w.channels[0].act("cancel", order_ref=refs[2])
        await s.w.settle()
        await look(s)
        assert numbers((await reader.get("/prazos")).text) == [refs[1], *refs[3:]]


async def test_pages_follow_each_other_without_a_gap() -> None:
    async with site() as s:
        refs = await shop(s, 7)
        reader = await s.signed_in()
        seen: list[str] = []
        with patch("hub.web.pages.deadlines.SIZE", 3), patch("hub.web.pages.deadlines.part", partial(part, size=3)):
            path: str | None = "/prazos"
            while path:
                shown = await reader.get(path)
                seen += numbers(shown.text)
                onward = re.search(r'href="([^"]+)" rel="next"', shown.text)
                path = onward[1].replace("&amp;", "&") if onward else None
        assert seen == refs


async def test_parcels_that_need_a_person_stand_with_the_evidence() -> None:
    async with site() as s:
        (ref,) = await shop(s, 1)
        reader = await s.signed_in()
        await parcel(s.w, ref, S.IN_TRANSIT, timedelta(days=6), deliver_by=s.w.rt.now() - timedelta(days=2))
        stuck = (await reader.get("/prazos?ver=parados")).text
        for told_ in ("AA123456785BR", "6 dias sem leitura", "Curitiba, PR", "Objeto em trânsito", ref, "parado"):
            assert told_ in stuck, told_
        late = (await reader.get("/prazos?ver=atrasados")).text
        assert "passou da promessa" in late
        assert "há 2 dias" in late
        await told(s.w, S.AWAITING_PICKUP, timedelta())
        assert "(estimado)" in (await reader.get("/prazos?ver=retirada")).text
        assert "Nada aqui" in (await reader.get("/prazos?ver=parados")).text
        await told(s.w, S.RETURNED, timedelta())
        assert "voltou" in (await reader.get("/prazos?ver=problemas")).text
        assert "voltou" in (await reader.get("/")).text
        stranger = await s.signed_in("outra@loja.example", seller_id=await s.other_seller())
        assert "AA123456785BR" not in (await stranger.get("/prazos?ver=problemas")).text


async def test_strange_addresses_show_the_first_page() -> None:
    async with site() as s:
        reader = await s.signed_in()
        for path in ("/prazos?ver=x", "/prazos?apos=x", "/prazos?ver=parados&apos=2026~1", "/prazos?ver="):
            assert (await reader.get(path)).status == 200, path


def test_every_alert_about_a_deadline_is_a_sentence_in_both_languages() -> None:
    told_ = {
        "order": "1", "account": "Loja", "code": "AA1", "days": 3, "ship_by": "2026-03-11T15:00:00+00:00",
        "promised": "2026-03-11T15:00:00+00:00", "until": "2026-03-12T03:00:00+00:00", "assumed": True,
        "status": "in_transit", "last_at": "2026-03-11T15:00:00+00:00", "where": "Curitiba, PR",
    }  # fmt: skip
    for locale in ("pt_BR", "en"):
        for kind in deadline_words.ALERT:
            row = {"kind": kind, "subject": "x", "params": told_}
            sentence = words.alert_sentence(Language(locale), row)
            assert "—" not in sentence
            assert "%(" not in sentence
            assert words.alert_page(row)
    pickup = {"kind": "parcel_pickup", "subject": "x", "params": told_}
    assert "até 11/03/2026 (estimado)" in words.alert_sentence(Language("pt_BR"), pickup)
