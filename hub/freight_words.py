"""Why freight cannot go on, in one sentence each, in Portuguese and English: a table. Pure."""

from collections.abc import Mapping

# kind -> (pt-BR, en)
REFUSALS: Mapping[str, tuple[str, str]] = {
    "order": ("não há este pedido", "there is no such order"),
    "status": ("pedido {number}: está {status}; só um pedido pago é enviado",
               "order {number} is {status}: only a paid one is sent"),
    "hold": ("pedido {number}: o canal pede que não seja enviado ({hold})",
             "order {number}: its channel says that it must not be sent ({hold})"),
    "marketplace": ("pedido {number}: é enviado pelo próprio canal", "order {number} is sent by the channel itself"),
    "nothing": ("pedido {number}: nada falta enviar", "order {number}: nothing of it is left to send"),
    "unlinked": ("pedido {number}: itens sem SKU: {titles}; vincule os anúncios",
                 "order {number}: lines without a SKU: {titles}; link their listings"),
    "unmeasured": ("pedido {number}: faltam peso ou medidas de {skus}: diga-os na página de cada SKU, em Dados",
                   "order {number}: weight or measures missing for {skus}: see each SKU's page, or `freight measure`"),
    "too_large": ("pedido {number}: {why}", "order {number}: {why}"),
    "to": ("pedido {number}: falta no endereço de entrega: {fields}",
           "order {number}: missing in the address it goes to: {fields}"),
    "sender": ("remetente: falta {fields}; diga-o em Configurações › Políticas › Remetente das etiquetas",
               "sender: {fields} missing; tell it under Settings › Policies, or with `balcao freight policy`"),
    "sender_of": ("Nenhuma etiqueta sai sem o remetente: falta {fields}",
                  "No label is bought without its sender: {fields} missing"),
    "no_carrier": ("nenhuma conta de transportadora está ativa: conecte uma que venda etiquetas",
                   "no carrier's account is live: connect one that sells labels"),
    "not_carrier": ("a conta {account} não vende etiquetas", "account {account} sells no labels"),
    "no_offer": ("pedido {number}: nenhuma oferta serve ({why})", "order {number}: no offer fits ({why})"),
    "unquoted": ("pedido {number}: sem cotação dos últimos 30 minutos para estes volumes: cote antes de comprar",
                 "order {number} has no quote of the last 30 minutes for these volumes: quote it before buying"),
    "price": ("pedido {number}: o preço não é mais {before}, e sim {now}: confira e confirme de novo",
              "order {number}: the price is no longer {before} but {now}: look at it and say so again"),
    "own_label": (
        ("pedido {number}: {channel} cuida do envio e dá a etiqueta{how}; outra seria uma segunda, paga à parte: só se "
         "compra para um pedido sozinho, confirmando que se quer a segunda"),
        ("order {number}: {channel} arranges its shipping and gives its label{how}; another would be a second one, "
         "paid apart: it is bought for an order alone, by saying that a second label is wanted (second_label)"),
    ),
    "coded": (
        ("pedido {number}: {channel} já conta um envio, de código {code}; outra etiqueta seria uma segunda, paga à "
         "parte: só se compra para um pedido sozinho, confirmando que se quer a segunda"),
        ("order {number}: {channel} tells of a parcel already, by code {code}; another label would be a second "
         "one, paid apart: it is bought for an order alone, by saying that a second label is wanted (second_label)"),
    ),
    "short": (
        ("pedido {number}: em falta ({units}); a etiqueta espera pela unidade, ou se compra para um pedido sozinho, "
         "confirmando que se quer mesmo sem ela"),
        ("order {number}: units are short ({units}); its label waits for them, or is bought for an order alone, by "
         "saying that it is wanted without them (despite_shortage)"),
    ),
    "has_labels": ("pedido {number}: já tem etiqueta", "order {number} has its label already"),
    "key": ("pedido {number}: a chave da NF-e não serve: {why}", "order {number}: its NF-e key is not good: {why}"),
    "no_document": ("pedido {number}: sem NF-e; espere por ela, ou permita declaração de conteúdo na política de frete",
                    "order {number} has no NF-e: wait for it, or let the freight policy allow a content declaration"),
    "busy": ("pedido {number}: a compra está em andamento, ou em dúvida: o resultado vem em até um minuto",
             "order {number}: a purchase is under way, or in doubt: what became of it is known within a minute"),
    "doubt": (("pedido {number}: não se sabe se a etiqueta {reference} foi comprada, e {account} não responde por "
              "referência: olhe no site da transportadora e diga com `balcao freight settle`"),
              ("order {number}: nobody knows whether label {reference} was bought, and {account} cannot be asked by a "
              "reference: look at the carrier's site and say so with `balcao freight settle`")),
    "refused": ("pedido {number}: {account} recusou: {why}", "order {number}: {account} refused: {why}"),
    "repacked": (
        "pedido {number}: as etiquetas são de {before} volumes, e agora seriam {now}: cancele-as primeiro",
        "order {number}: its labels are for {before} volumes, and now there would be {now}: cancel them first",
    ),
    "no_label": ("pedido {number}: não tem etiqueta comprada", "order {number} has no label that was bought"),
    "left": ("pedido {number}: a etiqueta já saiu no romaneio, e não pode ser cancelada",
             "order {number}: its label left with a manifest and cannot be cancelled"),
    "moving": ("pedido {number}: o objeto já está com a transportadora ({status})",
               "order {number}: the parcel is with its carrier already ({status})"),
    "uncancellable": ("{account} não cancela etiquetas pela API: cancele no site da transportadora",
                      "{account} takes no label back by its API: cancel it at the carrier's own site"),
    "nothing_leaves": ("romaneio: nenhuma etiqueta escolhida espera por {account}",
                       "manifest: none of the labels chosen waits for {account}"),
    "unsigned": ("romaneio: diga o nome de quem retirou", "manifest: say the name of who took the parcels"),
    "no_manifest": ("não há romaneio nº {number} desta transportadora", "this carrier has no manifest {number}"),
    "label_closed": ("pedido {number}: a conta {account} está desligada",
                     "order {number}: account {account} is closed"),
    "label_waiting": ("pedido {number}: {account} ainda não fez a etiqueta{until}; tente mais tarde",
                      "order {number}: {account} has not made the label yet{until}: try later"),
    "label_invoice": ("pedido {number}: {account} espera a NF-e para fazer a etiqueta",
                      "order {number}: {account} waits for the NF-e before it makes the label"),
    "label_posted": ("pedido {number}: o volume já foi postado", "order {number}: its parcel was posted already"),
    "label_cancelled": ("pedido {number}: {account} cancelou este envio: não mande o volume",
                        "order {number}: {account} cancelled this shipment: do not send the parcel"),
    "label_none": ("pedido {number}: {account} não faz etiqueta para este envio",
                   "order {number}: {account} makes no label for this shipment"),
    "label_unreadable": ("pedido {number}: o que veio de {account} não é um PDF que se possa imprimir",
                         "order {number}: what {account} answered is no PDF that can be printed"),
    "gone": ("não há esta etiqueta", "there is no such label"),
    "settled": ("etiqueta {reference}: não está em dúvida ({status})", "label {reference} is not in doubt ({status})"),
}  # fmt: skip


# What the params of a refusal are called in Portuguese.
WORDS: Mapping[str, str] = {
    "placed": "aguardando pagamento", "dispatched": "despachado", "delivered": "entregue", "cancelled": "cancelado",
    "fraud": "suspeita de fraude", "frozen": "retido", "cancel_requested": "cancelamento pedido",
    "invoice_pending": "aguarda nota fiscal", "accepted": "postado", "in_transit": "em trânsito",
    "out_for_delivery": "saiu para entrega", "awaiting_pickup": "aguarda retirada", "failed_attempt": "tentativa falha",
    "customs": "na alfândega", "exception": "com problema", "returning": "voltando", "returned": "devolvido",
    "lost": "extraviado", "damaged": "avariado", "bought": "comprada", "refused": "recusada", "buying": "em compra",
    "paying": "em pagamento", "cancelling": "em cancelamento", "name": "nome", "document": "CPF ou CNPJ",
    "recipient": "destinatário", "street": "rua", "city": "cidade", "state": "UF", "postal_code": "CEP",
}  # fmt: skip
_NAMING = ("status", "hold", "fields")


def _in_portuguese(told: object) -> str:
    return ", ".join(WORDS.get(word.removeprefix("address."), word) for word in str(told).split(", "))


def sentence(kind: str, locale: str, params: Mapping[str, object]) -> str:
    """The sentence of a refusal, without a stop, in "pt-BR" or "en"; a pair among the params is told in either."""
    at = 0 if locale.startswith("pt") else 1
    told = {name: value[at] if isinstance(value, tuple) else value for name, value in params.items()}
    if at == 0:
        told |= {name: _in_portuguese(value) for name, value in told.items() if name in _NAMING}
    return REFUSALS[kind][at].format(**told)
