"""Loja Integrada's words into ours. Pure. The API tells text where its webhooks tell numbers: both are read."""

import re
from datetime import datetime

from hub import parse
from hub.faults import Unreadable
from hub.model import (
    Address,
    Buyer,
    FulfilledBy,
    Fulfilment,
    Hold,
    Listing,
    ListingStatus,
    Order,
    OrderLine,
    Origin,
    Payment,
    Raw,
    Shipment,
)
from hub.stages import GONE, Stage
from hub.wire import Wire

PARENT = "atributo"  # its options ("atributo_opcao") are products of their own, with their own SKU and stock
NUMBER = re.compile(r"/(\d+)/?(?:\?|$)")
STAGES = {  # what a situation means; its flags mislead: disputes and chargebacks are `aprovado`
    "aguardando_pagamento": Stage(Payment.PENDING),  # 2
    "pagamento_em_analise": Stage(Payment.PENDING),  # 3
    "pedido_pago": Stage(),  # 4
    "pagamento_em_disputa": Stage(hold=Hold.FROZEN),  # 6
    "pagamento_devolvido": Stage(Payment.REFUNDED, cancelled=True),  # 7
    "pedido_cancelado": Stage(Payment.VOIDED, cancelled=True),  # 8
    "pedido_efetuado": Stage(Payment.PENDING),  # 9
    "pedido_enviado": Stage(fulfilment=Fulfilment.DISPATCHED),  # 11
    "pronto_para_retirada": Stage(fulfilment=Fulfilment.DISPATCHED),  # 13
    "pedido_entregue": Stage(fulfilment=Fulfilment.DELIVERED),  # 14
    "pedido_em_separacao": Stage(),  # 15
    "pedido_chargeback": Stage(Payment.REFUNDED, hold=Hold.FROZEN),  # 16
    "em_producao": Stage(),  # 17
    "faturado": Stage(),  # 1018
    "cancelamento_solicitado": Stage(hold=Hold.CANCEL_REQUESTED),  # 1019, though it is `cancelado`
    "pagamento_devolvido_sem_retorno": Stage(Payment.REFUNDED, cancelled=True),  # 1020: assumed
}


def order(raw: Raw) -> Order:
    """An order as /pedido/{numero} tells it, or as the order webhook does."""
    o = Wire(raw, "")
    if o.raw.get("itens") is None:
        raise Unreadable("itens", "not told: a row of the search is not the order")
    stage = o.one_of("situacao.codigo", STAGES)
    lines = tuple(_line(row, n, stage) for n, row in enumerate(o.rows("itens"), start=1))
    changed = _at(o, "data_modificacao")
    return Order(
        ref=o.needed_ref("numero"),
        number=o.ref("numero"),
        origin=_origin(o.part("marketplace_info")),
        payment=stage.payment,
        fulfilment=stage.fulfilment,
        cancelled=stage.cancelled,
        hold=stage.hold,
        fulfilled_by=FulfilledBy.SELLER,
        raw_status={"situacao": o.text("situacao.codigo")},
        placed_at=_at(o, "data_criacao"),
        changed_at=changed,
        items_cents=parse.total(line.total_cents for line in lines),
        discount_cents=o.cents("valor_desconto"),
        shipping_cents=o.cents("valor_envio"),
        total_cents=o.cents("valor_total"),
        lines=lines,
        buyer=_buyer(o.part("cliente")),
        ship_to=_address(o.part("endereco_entrega")),
        shipments=tuple(shipment for row in o.rows("envios") if (shipment := _shipment(row))),
        clocks={"order": changed},
    )


def _at(o: Wire, key: str) -> datetime | None:
    """Times without an offset are Brasília's: inferred."""
    return o.instant(key, zone=parse.SAO_PAULO)


def _line(row: Wire, n: int, stage: Stage) -> OrderLine:
    quantity = row.quantity("quantidade")
    return OrderLine(
        ref=row.ref("id") or row.ref("linha") or str(n),
        listing_ref=product_ref(row),
        sku=row.text("sku"),
        title=row.text("nome"),
        quantity=quantity,
        cancelled_quantity=quantity if stage.cancelled else 0,
        dispatched_quantity=quantity if stage.fulfilment in GONE else 0,
        total_cents=row.cents("preco_subtotal"),  # of the line
        fulfilled_by=FulfilledBy.SELLER,
    )


def product_ref(row: Wire) -> str | None:
    """The product's number: told as such, as an address, or inside an object with its address."""
    told = row.raw.get("produto")
    uri = told.get("resource_uri") if isinstance(told, dict) else told
    found = NUMBER.search(uri) if isinstance(uri, str) else None
    return row.ref("produto_id") or (found.group(1) if found else None)


def _origin(told: Wire) -> Origin | None:
    """Where a hub took it from; a marketplace whose name we do not know keeps its own."""
    name, ref = told.text("marketplace"), told.ref("id_externo_unico")
    if not (name and ref):
        return None
    return Origin(channel=parse.marketplace(name) or f"lojaintegrada:{name.lower()}", ref=ref)


def _buyer(told: Wire) -> Buyer | None:
    if not told:
        return None
    return Buyer(
        ref=told.ref("id"),
        name=parse.joined(told.text("nome", "razao_social")),
        email=told.text("email"),
        phone=parse.phone(told.text("telefone_celular", "telefone_principal", "telefone_comercial")),
        document=parse.document(told.text("cpf", "cnpj")),
    )


def _address(told: Wire) -> Address | None:
    return parse.address(
        recipient=told.text("nome", "razao_social"),
        street=told.text("endereco"),
        number=told.text("numero"),
        complement=told.text("complemento"),
        district=told.text("bairro"),
        city=told.text("cidade"),
        state=told.text("estado"),
        postal_code=told.text("cep"),
        country="BR",
    )


def _shipment(row: Wire) -> Shipment | None:
    how, ref = row.part("forma_envio"), row.ref("id")
    if ref is None:
        return None
    service = how.text("tipo", "code", "codigo")
    return Shipment(ref=ref, carrier=how.text("nome"), service=service, tracking_code=row.text("objeto"))


# ── Listings ────────────────────────────────────────────────────────────────────────────────────────────────


def listings(raw: Raw) -> list[Listing]:
    """The listing of a product with its stock (`estoque` beside or inside it). A parent is none."""
    if isinstance(raw, dict) and isinstance(raw.get("objects"), list):
        return [one for row in raw["objects"] for one in listings(row)]
    box = Wire(raw, "")
    p = box.part("produto") if isinstance(box.raw.get("produto"), dict) and "sku" not in box.raw else box
    if p.text("tipo") == PARENT:
        return []
    told = box.part("estoque") or p.part("estoque")
    ref = p.needed_ref("id")
    counted = told.flag("gerenciado")
    physical, free = told.units("quantidade"), told.units("quantidade_disponivel")
    free = physical if free is None else free
    return [
        Listing(
            ref=ref,
            slot_ref=ref,
            sku=p.text("sku"),
            gtin=p.text("gtin"),
            title=p.text("nome", "apelido"),
            url=p.text("url"),
            status=_status(p),
            quantity=max(0, free) if counted and free is not None else None,
            stock_quantity=physical if counted else None,
            price_cents=p.cents("preco_promocional") or p.cents("preco_cheio"),
            currency="BRL",
            version=settings(told),
        )
    ]


def _status(p: Wire) -> ListingStatus:
    if p.flag("removido"):
        return ListingStatus.CLOSED
    return ListingStatus.PAUSED if p.flag("ativo") is False else ListingStatus.ACTIVE


def settings(told: Wire) -> str | None:
    """What a write must repeat, or the panel's choice is lost: the days to deliver with and without stock."""
    days = [told.units(key) for key in ("situacao_em_estoque", "situacao_sem_estoque")]
    return None if None in days else f"{days[0]}:{days[1]}"
