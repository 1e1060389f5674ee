"""Listings, their links to SKUs with suggestions, and the differences that the audit found."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from hub.store import drift, links, listing_list, listing_story
from hub.web import audit_words
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.operations import ById as Place
from hub.web.api.shapes import Asked, ById, Code, Instant, Paging, Told
from hub.web.i18n import N_
from hub.web.keys import SHELF
from jobs import linking, proposals

TAG = "listings"
State = Literal[
    "linked", "unlinked", "even", "pending", "different", "doubt", "parked", "braked", "uncounted", "paused", "theirs"
]
BySlot = tuple[UUID, UUID]
Double = Literal["code_case", "gtin", "listing", "slot"]
ByKind = tuple[Double, str, str]
MOST_PLACES = 100


class Listing(Told):
    """A sellable variation as its channel shows it, and what its slot should show, was told and was seen to show."""

    id: UUID
    account_id: UUID
    account: str
    channel: str
    ref: str
    variation_ref: str | None
    title: str | None
    url: str | None
    status: str
    managed_by: str
    price_cents: int | None
    currency: str
    channel_sku: str | None = Field(description=N_("O código que o canal diz."))
    sku: str | None = Field(description=N_("O nosso SKU; null quando não há vínculo."))
    multiplier: int = Field(description=N_("Unidades do SKU em cada unidade vendida."))
    desired: int | None = Field(description=N_("O que deve mostrar."))
    pushed: int | None = Field(description=N_("O que o canal aceitou por último; null em dúvida."))
    expected: int | None = Field(description=N_("O que deve estar lá, contadas as vendas do próprio canal."))
    seen: int | None = Field(description=N_("O que foi visto lá por último."))
    seen_at: Instant | None
    last_pushed_at: Instant | None
    parked_code: str | None
    parked_reason: str | None
    braked: bool
    withheld: bool


class Listings(Paging):
    """Which listings."""

    account: UUID | None = Field(default=None, description=N_("O id da conta."))
    state: State | None = None
    search: Code | None = Field(default=None, description=N_("Código, ref, ou palavras do título."))


async def every(call: Call) -> Answer:
    """Listings by slot."""
    wanted = call.query(Listings)
    async with call.tx() as tx:
        rows = await listing_list.page(
            tx, listing_list.Wanted(state=wanted.state, account_id=wanted.account, search=wanted.search),
            after=call.after, limit=call.limit,
        )  # fmt: skip
    return call.part(rows, Listing.model_validate, "slot_id", "id")


async def listing_row(call: Call) -> dict[str, Any]:
    """The listing that the path names, as the store has it; one that is gone is not there."""
    async with call.tx() as tx:
        row = await listing_story.one(tx, call.path(ById).id)
    if row is None or row["gone_at"] is not None:
        raise missing()
    return row


async def open_listing(call: Call) -> Listing:
    """The same, as it is told."""
    return Listing.model_validate(await listing_row(call))


async def one(call: Call) -> Answer:
    """One listing."""
    return await open_listing(call)


# ── links ───────────────────────────────────────────────────────────────────────────────────────────────────


class Link(Asked):
    """Which SKU a listing sells."""

    sku: Code
    multiplier: int = Field(default=1, ge=1, le=100_000, description=N_("Unidades do SKU em cada unidade vendida."))


async def link(call: Call) -> Answer:
    """Link a listing; orders that waited for it are settled."""
    await open_listing(call)
    wanted = call.body(Link)
    await linking.link(call.rt, call.seller, call.path(ById).id, wanted.sku, wanted.multiplier)
    return await open_listing(call)


async def unlink(call: Call) -> Answer:
    """Unlink a listing: its stock is not touched any more."""
    await open_listing(call)
    await linking.link(call.rt, call.seller, call.path(ById).id, None)
    return None


class Likely(Told):
    """A SKU that a listing may be; never linked before somebody says so."""

    sku: str
    score: int = Field(description=N_("De 0 a 100."))
    why: str
    multiplier: int


class Suggested(Told):
    """An unlinked listing, and the SKUs that it may be."""

    listing_id: UUID
    account: str
    ref: str
    variation_ref: str | None
    title: str | None
    channel_sku: str | None
    gtin: str | None
    suggestions: list[Likely]


class Suggestions(Paging):
    """Of which listings."""

    account: UUID | None = Field(default=None, description=N_("O id da conta."))


class DoublePlace(Told):
    """A SKU (code_case, gtin) or a listing (listing, slot) where it stands."""

    id: UUID
    name: str


class Doubled(Told):
    """What is there twice, so that nothing is linked by it. `places` are the first 100 of `count`."""

    kind: Double = Field(
        description=N_(
            "code_case: um código em maiúsculas e minúsculas; gtin: em dois SKUs; listing: um código em dois anúncios "
            "da conta; slot: um estoque com dois códigos."
        )
    )
    name: str
    count: int
    places: list[DoublePlace]


class Doubles(Paging):
    """Of which kind."""

    kind: Double | None = None


async def duplicates(call: Call) -> Answer:
    """By kind and name."""
    async with call.tx() as tx:
        rows = await links.duplicates(
            tx, call.limit, kind=call.query(Doubles).kind, after=call.after, most=MOST_PLACES
        )  # fmt: skip
    told = [
        {**row, "places": [{"id": id_, "name": name} for id_, name in zip(row["ids"], row["places"], strict=True)]}
        for row in rows
    ]
    return call.part(told, Doubled.model_validate, "kind", "name", "key")


async def suggestions(call: Call) -> Answer:
    """Unlinked listings by id, each with the SKUs that it may be."""
    found = await linking.suggest(
        call.rt, call.seller, call.query(Suggestions).account, after=call.after[0] if call.after else None,
        limit=call.limit, index=await call.request.app[SHELF].index(call.rt, call.seller),
    )  # fmt: skip
    rows = [
        {
            **row, "listing_id": row["id"],
            "suggestions": [
                {"sku": each.code, "score": each.score, "why": each.explain(call.language.tag),
                 "multiplier": each.multiplier}
                for each in likely
            ],
        }
        for row, likely in found
    ]  # fmt: skip
    return call.part(rows, Suggested.model_validate, "id")


# ── differences ─────────────────────────────────────────────────────────────────────────────────────────────

DriftState = Literal["proposed", "waiting", "repairing", "dismissed", "noted", "closed"]


class Difference(Told):
    """What a channel shows that the hub did not expect."""

    id: UUID
    account_id: UUID
    account: str
    channel: str
    listing_id: UUID | None
    ref: str | None
    variation_ref: str | None
    title: str | None
    sku: str | None
    suggested_sku: str | None
    kind: str
    sentence: str
    direction: str | None
    state: DriftState
    seen: int | None
    expected: int | None
    desired: int | None
    count: int = Field(description=N_("Quantas vezes foi vista."))
    first_seen_at: Instant
    last_seen_at: Instant
    decided_at: Instant | None
    closed_at: Instant | None
    ended: str | None


class DifferenceQuery(Paging):
    """Which differences."""

    account: UUID | None = Field(default=None, description=N_("O id da conta."))
    state: DriftState | None = Field(default=None, description=N_("Sem ele, as que estão abertas."))


def _difference(call: Call, row: dict[str, object]) -> Difference:
    return Difference.model_validate(
        {**row, "kind": row["class"], "sentence": audit_words.sentence(call.language, row)}
    )  # fmt: skip


async def differences(call: Call) -> Answer:
    """Newest first."""
    wanted = call.query(DifferenceQuery)
    async with call.tx() as tx:
        rows = await drift.listed(
            tx, state=wanted.state, account_id=wanted.account, after=call.after[0] if call.after else None,
            limit=call.limit,
        )  # fmt: skip
    return call.part(rows, lambda row: _difference(call, dict(row)), "id")


async def _difference_of(call: Call) -> Difference:
    async with call.tx() as tx:
        row = await drift.one(tx, call.path(ById).id)
    if row is None:
        raise missing()
    return _difference(call, row)


async def accept(call: Call) -> Answer:
    """Put it right."""
    await _difference_of(call)
    await proposals.accept(call.rt, call.seller, call.path(ById).id)
    return await _difference_of(call)


async def dismiss(call: Call) -> Answer:
    """Leave it as it is."""
    await _difference_of(call)
    await proposals.dismiss(call.rt, call.seller, call.path(ById).id)
    return await _difference_of(call)


OPERATIONS = (
    Operation(
        name="list_listings", method="GET", path="/listings", handler=every, scope="listings:read", tag=TAG,
        summary=N_("Anúncios, com o que devem mostrar e o que mostram"), answer=Listing, query=Listings, place=BySlot,
    ),
    Operation(
        name="get_listing", method="GET", path="/listings/{id}", handler=one, scope="listings:read", tag=TAG,
        summary=N_("Um anúncio"), answer=Listing, named=ById,
    ),
    Operation(
        name="put_link", method="PUT", path="/listings/{id}/link", handler=link, scope="listings:write", tag=TAG,
        summary=N_("Vincular um anúncio a um SKU"), answer=Listing, named=ById, body=Link,
        example={"sku": "CANECA-AZUL", "multiplier": 1},
        description=N_("Os pedidos que esperavam por este vínculo são acertados."),
    ),
    Operation(
        name="delete_link", method="DELETE", path="/listings/{id}/link", handler=unlink, scope="listings:write",
        tag=TAG, summary=N_("Desvincular um anúncio"), answer=None, status=204, named=ById,
        description=N_("O estoque dele deixa de ser mexido."),
    ),
    Operation(
        name="list_link_suggestions", method="GET", path="/link-suggestions", handler=suggestions,
        scope="listings:read", tag=TAG, summary=N_("Anúncios sem vínculo, com os SKUs que podem ser"),
        answer=Suggested, query=Suggestions, place=Place,
    ),
    Operation(
        name="list_link_duplicates", method="GET", path="/link-duplicates", handler=duplicates, scope="listings:read",
        tag=TAG, summary=N_("Códigos e estoques repetidos, pelos quais nada é vinculado"), answer=Doubled,
        query=Doubles, place=ByKind,
    ),
    Operation(
        name="list_differences", method="GET", path="/differences", handler=differences, scope="listings:read",
        tag=TAG, summary=N_("Diferenças entre os canais e o hub"), answer=Difference, query=DifferenceQuery,
        place=Place,
    ),
    Operation(
        name="accept_difference", method="POST", path="/differences/{id}/accept", handler=accept,
        scope="listings:write", tag=TAG, summary=N_("Corrigir uma diferença"), answer=Difference, named=ById,
        once="together",
        description=N_("O número do hub é escrito no canal, ou o anúncio é vinculado ao SKU que ele diz."),
    ),
    Operation(
        name="dismiss_difference", method="POST", path="/differences/{id}/dismiss", handler=dismiss,
        scope="listings:write", tag=TAG, summary=N_("Deixar uma diferença como está"), answer=Difference, named=ById,
        once="together", description=N_("Até que o hub calcule outro número."),
    ),
)  # fmt: skip
