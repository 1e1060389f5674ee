"""Bling's words into ours. Pure."""

from decimal import Decimal

from hub import parse
from hub.calls import within
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Invoice,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Origin,
    Payment,
    Raw,
    Shipment,
)
from hub.stages import Stage
from hub.wire import Wire

PARTS = {"billing": frozenset({"invoices"})}
# Situations of Bling's own; accounts add theirs, each made from one of these. It tells no payment: whoever works on an
# order counts as paid.
STAGES = {
    "6": Stage(),  # Em aberto
    "9": Stage(fulfilment=Fulfilment.DISPATCHED),  # Atendido
    "12": Stage(payment=Payment.VOIDED, cancelled=True),  # Cancelado
    "15": Stage(),  # Em andamento
    "18": Stage(),  # Venda agenciada: assumed
    "21": Stage(payment=Payment.PENDING),  # Em digitação: assumed
    "24": Stage(),  # Verificado: assumed
}
BY_VALUE = {"0": "6", "1": "9", "2": "12", "3": "15", "4": "18", "10": "21", "11": "24"}  # of the older API: assumed

# Who brings buyer and seller together stands in the NF-e by CNPJ: that names the channel of a relayed order.
INTERMEDIARIES = {
    "03007331000141": "mercadolivre",
    "35635824000112": "shopee",
    "15436940000103": "amazon",
    "47960950000121": "magalu",
}
LISTED = {"A": ListingStatus.ACTIVE, "I": ListingStatus.PAUSED, "E": ListingStatus.CLOSED}
PARENT, COMPOSED = "V", "E"


def order(raw: Raw) -> Order:
    """An order of `{data, situacao_raiz?, canal?, nfe?}`: what /pedidos/vendas/{id} answers, with what fetch adds.

    `situacao_raiz` is the situation of Bling's own that the account made its one from; `canal` the hub's name of
    the shop's channel. `valor` of a line is after its discount; Bling tells no time of change.
    """
    box = raw if isinstance(raw, dict) else {}
    document = box["data"] if isinstance(box.get("data"), dict | list) else raw  # a bare order's `data` is its date
    o = Wire(document[0] if isinstance(document, list) and len(document) == 1 else document, "data")
    if o.raw.get("itens") is None:
        raise Unreadable("data.itens", "not told: a row of the list is not the order")
    stage = _stage(o.part("situacao"), parse.ref(box.get("situacao_raiz")))
    lines = tuple(_line(row, n, stage) for n, row in enumerate(o.rows("itens"), start=1))
    items, sent = parse.total(line.total_cents for line in lines), o.part("transporte")
    nfe = Wire(within(box, "nfe", "data") or box.get("nfe"), "nfe")
    return Order(
        ref=o.needed_ref("id"),
        number=o.ref("numero"),
        origin=_origin(o, box.get("canal")),
        payment=stage.payment,
        fulfilment=stage.fulfilment,
        cancelled=stage.cancelled,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"situacao": dict(o.part("situacao").raw)},
        placed_at=o.instant("data", zone=parse.SAO_PAULO),
        items_cents=items,
        discount_cents=_discount(o.part("desconto"), items),
        shipping_cents=sent.cents("frete"),
        other_cents=o.cents("outrasDespesas"),
        fees_cents=o.cents("taxas.taxaComissao"),
        total_cents=o.cents("total"),
        lines=lines,
        buyer=_buyer(o.part("contato")),
        ship_to=_address(sent.part("etiqueta")),
        shipments=_shipments(sent),
        invoices=(_invoice(nfe),) if nfe else (),
        clocks={"order": None, **({"billing": None} if nfe else {})},
    )


def _stage(told: Wire, root: str | None) -> Stage:
    number, value = told.ref("id"), BY_VALUE.get(told.text("valor") or "")
    known = next((each for each in (number, root, value) if each in STAGES), None)
    if known is None:
        raise Unreadable(told.at("id"), f"unknown situation {number}, and not told which one it comes from")
    return STAGES[known]


def _origin(o: Wire, channel: Raw) -> Origin | None:
    """Its number in the shop, and the shop's channel: as the seller told it, else the law's, else the shop's number."""
    number, shop = o.ref("numeroLoja"), o.ref("loja.id")
    by_law = INTERMEDIARIES.get(parse.bare(o.text("intermediador.cnpj")) or "")
    named = channel if isinstance(channel, str) and channel else by_law or (f"bling:{shop}" if shop else None)
    return Origin(channel=named, ref=number) if number and named else None


def _line(row: Wire, n: int, stage: Stage) -> OrderLine:
    quantity = row.quantity("quantidade")
    return OrderLine(
        ref=row.ref("id") or str(n),
        listing_ref=row.ref("produto.id"),
        sku=row.text("codigo"),
        title=row.text("descricao"),
        quantity=quantity,
        cancelled_quantity=quantity if stage.cancelled else 0,
        dispatched_quantity=quantity if stage.fulfilment is Fulfilment.DISPATCHED else 0,
        total_cents=row.cents("valor", quantity),  # of one unit, with more than two places
        fulfilled_by=FulfilledBy.SELLER,
    )


def _discount(told: Wire, items: int | None) -> int | None:
    """An amount, or a share of the items in percent."""
    amount = told.cents("valor")
    if amount is None or told.text("unidade") in (None, "REAL"):
        return amount
    told.one_of("unidade", {"PERCENTUAL": None})
    return None if items is None else parse.cents(Decimal(items * amount) / 1_000_000, told.at("valor"))


def _buyer(told: Wire) -> Buyer | None:
    if not told:
        return None
    document = parse.document(told.text("numeroDocumento"))
    return Buyer(ref=told.ref("id"), name=parse.joined(told.text("nome")), document=document)


def _address(told: Wire) -> Address | None:
    return parse.address(
        recipient=told.text("nome"),
        street=told.text("endereco"),
        number=told.text("numero"),
        complement=told.text("complemento"),
        district=told.text("bairro"),
        city=told.text("municipio"),
        state=told.text("uf"),
        postal_code=told.text("cep"),
        country=None if parse.state(told.text("uf")) == "EX" else "BR",
    )


def _shipments(sent: Wire) -> tuple[Shipment, ...]:
    carrier = sent.text("contato.nome")
    return tuple(
        Shipment(ref=row.ref("id") or code, carrier=carrier, service=row.text("servico"), tracking_code=code)
        for row in sent.rows("volumes")
        if (code := row.text("codigoRastreamento"))
    )


def _invoice(nfe: Wire) -> Invoice:
    return Invoice(
        key=parse.bare(nfe.text("chaveAcesso")),
        number=nfe.ref("numero"),
        series=nfe.text("serie"),
        issued_at=nfe.instant("dataEmissao", zone=parse.SAO_PAULO),
        total_cents=nfe.cents("valorNota"),
        status=nfe.text("situacao"),
    )


def takes_stock(told: Order) -> bool | None:
    """An open order reserves, an attended one has taken; of a draft only the account's own settings tell."""
    return None if told.payment is Payment.PENDING else not told.cancelled


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """Listings of `{produto, saldos, deposito?}`, or of a bare product, whose stock is then not told.

    `deposito` is the deposit that is written; without it the sums over all of them are told. A service is none, nor
    is a parent: its variations are products of their own.
    """
    if isinstance(raw, dict) and isinstance(raw.get("data"), list):
        return [one for row in raw["data"] for one in listings(row)]
    box = raw if isinstance(raw, dict) and "produto" in raw and "codigo" not in raw else {"produto": raw}
    product = box["produto"]
    p = Wire(product.get("data", product) if isinstance(product, dict) else product, "produto")
    if p.text("tipo") == "S" or p.text("formato") == PARENT:
        return []
    deposit = parse.ref(box.get("deposito"))
    physical, virtual = _numbers(_balance(box.get("saldos")), deposit)
    composed = p.text("formato") == COMPOSED
    return [
        Listing(
            ref=p.needed_ref("id"),
            slot_ref=p.needed_ref("id"),
            location_ref=deposit,
            sku=p.text("codigo"),
            gtin=p.text("gtin"),
            title=p.text("nome"),
            status=p.one_of("situacao", LISTED) if p.raw.get("situacao") else ListingStatus.ACTIVE,
            quantity=None if virtual is None else max(0, virtual),  # below zero where more is reserved than there is
            stock_quantity=None if composed else physical,  # a composition's follows from its parts
            price_cents=p.cents("preco"),
            currency="BRL",
        )
    ]


def _balance(raw: Raw) -> Wire:
    told = raw["data"] if isinstance(raw, dict) and "data" in raw else raw
    return Wire((told[0] if told else None) if isinstance(told, list) else told, "saldos")


def _numbers(balance: Wire, deposit: str | None) -> tuple[int | None, int | None]:
    """Physical and virtual units, of the deposit where one is named."""
    if not balance:
        return None, None
    if deposit is None:
        return balance.units("saldoFisicoTotal"), balance.units("saldoVirtualTotal")
    for place in balance.rows("depositos"):
        if place.ref("id") == deposit:
            return place.units("saldoFisico"), place.units("saldoVirtual")
    return 0, 0  # nothing was ever put there
