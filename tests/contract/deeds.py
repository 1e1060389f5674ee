"""What the hub does at a channel, over a sandbox: list, fetch, write, ask for freight."""

import adapters
from hub.faults import ChannelError, Fault
from hub.http import AccountApi
from hub.model import Address, DeclaredGoods, Listing, Order, Outcome, OutcomeKind, Parcel, Party, Posting, StockWrite
from tests.contract.payloads import files, raw_of
from tests.contract.shops import Shop

MOST_PAGES = 400


async def listings_of(shop: Shop, api: AccountApi) -> list[Listing]:
    """Every listing, page by page."""
    source = shop.adapter.listings
    assert source
    found: list[Listing] = []
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        page = await source.pages(api, cursor)
        for document in page.documents:
            found += source.parse(document)
        for ref in page.refs:
            found += source.parse(await source.fetch(api, ref))
        cursor = page.cursor
        if not page.more:
            return found
    raise AssertionError("the listings have no end")


async def a_listing(shop: Shop, api: AccountApi, sku: str = "SKU-000") -> Listing:
    return next(listing for listing in await listings_of(shop, api) if listing.sku == sku)


async def order_of(shop: Shop, api: AccountApi, ref: str) -> Order:
    source = shop.adapter.orders
    assert source
    return source.parse(await source.fetch(api, ref))


async def addressed(shop: Shop, api: AccountApi, write: StockWrite) -> StockWrite:
    """The write as the hub would send it: looked at first, where the channel compares and sets."""
    sink = shop.adapter.stock
    assert sink
    if not sink.compare_and_set(write):
        return write
    (seen,) = await sink.look(api, [write])
    assert seen
    return write.model_copy(update={"version": seen.version, "expected": seen.stock_quantity})


async def written(shop: Shop, api: AccountApi, writes: list[StockWrite]) -> list[Outcome]:
    """What became of writes, in their order, asked about until nothing is pending."""
    sink = shop.adapter.stock
    assert sink
    found: dict[str, Outcome] = {}
    for request, covered in sink.render([await addressed(shop, api, write) for write in writes]):
        try:
            outcomes = sink.read(covered, await api.call(request))
        except ChannelError as refusal:
            if not sink.atomic or len(covered) == 1 or refusal.fault not in (Fault.REJECTED, Fault.MISSING):
                raise
            outcomes = [outcome for write in covered for outcome in await written(shop, api, [write])]
        for _ in range(20):
            if not any(one.outcome is OutcomeKind.PENDING for one in outcomes):
                break
            assert sink.ask, "a channel that leaves writes pending can be asked about them"
            await shop.clock.sleep(1)
            outcomes = await sink.ask(api, covered, outcomes[0].code or "")
        assert [one.slot_ref for one in outcomes] == [write.slot_ref for write in covered]
        found |= {one.slot_ref: one for one in outcomes}
    return [found[write.slot_ref] for write in writes]


def services(channel: str) -> list[str]:
    """Services that the quote payloads name."""
    source = adapters.get(channel).freight
    assert source
    told = [quote.service for path in files(channel, "freight") for quote in source.read_quotes([raw_of(path)], ())]
    return list(dict.fromkeys(told))


def posting(service: str) -> Posting:
    def party(name: str, postal_code: str) -> Party:
        place = Address(
            recipient=name, street="Rua do Teste", number="10", district="Centro", city="São Paulo", state="SP",
            postal_code=postal_code, country="BR",
        )  # fmt: skip
        return Party(name=name, document="52998224725", phone="+5511987654321", address=place)

    return Posting(
        reference="pedido-1",
        service=service,
        sender=party("Loja", "01310200"),
        recipient=party("Maria", "20040002"),
        parcel=PARCEL,
        goods=(DeclaredGoods(description="Caneca", quantity=2, value_cents=2990),),
    )


PARCEL = Parcel(
    from_postal_code="01310200",
    to_postal_code="20040002",
    weight_g=800,
    length_cm=20,
    width_cm=15,
    height_cm=10,
    value_cents=5980,
)
