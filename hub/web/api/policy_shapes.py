"""Policies as the API tells and takes them: a document for the shop, one for each account, a part for each group."""

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from hub.web import policy_words
from hub.web.api.shapes import Asked, Clock, Line, Name, Told
from hub.web.i18n import N_
from hub.web.policy_words import Group

# A part's name -> the group that it is, of the shop and of an account.
SHOP: dict[str, str] = {
    "orders": "divisao", "warehouses": "depositos", "shipping": "envio", "freight": "frete", "sender": "remetente",
    "volumes": "volumes", "zero_brake": "freio", "replenishment": "reposicao",
}  # fmt: skip
ACCOUNT: dict[str, str] = {
    "holding": "reserva", "dispatch": "despacho", "differences": "conferencia", "stock": "estoque",
    "buyer_mail": "email", "freight": "frete", "sender": "remetente", "volumes": "volumes",
}  # fmt: skip
RENAMED = {"hours": "unpaid_hours", "share": "share_percent", "service_level": "service_level_percent"}

Split = Literal["units", "line", "order"]
Rule = Literal["promise", "cheapest", "fastest"]
Handling = Literal["winsorised", "median", "mean"]
Done = Literal["repair", "propose", "ignore"]
Locale = Literal["pt_BR", "en"]
State = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
WIDER = N_("null: como a loja, ou como este hub foi instalado.")
SPLIT = N_("Até onde um pedido se divide entre depósitos: units, a linha também; line, linhas inteiras; order, não.")
DAYS = N_("Dias.")


def group_of(groups: tuple[Group, ...], key: str) -> Group:
    """The group of that key."""
    return next(group for group in groups if group.key == key)


def _within(groups: tuple[Group, ...], key: str, name: str, words: str | None = None) -> Any:
    """A number that may be left out, within what its group allows."""
    field = next(field for field in group_of(groups, key).fields if field.name == name)
    low, high = (int(field.low), int(field.high)) if field.whole else (field.low, field.high)
    return Field(default=None, ge=low, le=high, description=words)


def _of_shop(key: str, name: str, words: str | None = None) -> Any:
    return _within(policy_words.SELLER, key, name, words)


def _of_account(key: str, name: str, words: str | None = None) -> Any:
    return _within(policy_words.ACCOUNT, key, name, words)


# ── the shop's ──────────────────────────────────────────────────────────────────────────────────────────────


class Orders(Told):
    """How far an order may be divided."""

    split: Split = Field(description=SPLIT)


class Shipping(Told):
    """Deadlines, patience with carriers, and when buyers are written to."""

    state: str | None = Field(description=N_("A UF de onde a loja despacha; null: a do primeiro depósito."))
    stuck_days: int = Field(description=N_("Sem leitura por tantos dias: parado."))
    loss_days: int = Field(description=N_("Sem leitura por tantos dias: provável extravio."))
    pickup_days: int = Field(description=N_("Guarda na unidade, em dias, se a transportadora não diz."))
    link_days: int = Field(description=N_("Página do comprador no ar, em dias depois da entrega."))
    quiet_from: str = Field(description=N_("E-mails a compradores: silêncio a partir desta hora."))
    quiet_to: str = Field(description=N_("Silêncio até esta hora; as duas iguais: sem silêncio."))


class Freight(Told):
    """Which quote is bought when nobody chooses."""

    rule: Rule | None = Field(description=WIDER)
    declares: bool | None = Field(description=N_("Um pedido sem NF-e sai com declaração de conteúdo; null: o padrão."))


class Sender(Told):
    """Who labels name as the sender, and from where parcels leave; all null: nobody said, or the wider policy's."""

    name: str | None
    document: str | None = Field(description=N_("CPF ou CNPJ, sem pontuação."))
    phone: str | None = Field(description=N_("Com o código do país (E.164)."))
    postal_code: str | None = Field(description=N_("O CEP de onde o frete é cotado."))
    street: str | None
    number: str | None
    complement: str | None
    district: str | None
    city: str | None
    state: str | None


class Volumes(Told):
    """How much goes into one volume; null: the wider policy's, at last 30000 g, 1000 mm, 2000 mm and 0 g."""

    most_g: int | None = Field(description=N_("O peso máximo, em gramas."))
    side_mm: int | None = Field(description=N_("O maior lado, em milímetros."))
    sum_mm: int | None = Field(description=N_("A soma dos três lados, em milímetros."))
    tare_g: int | None = Field(description=N_("Quanto pesa a caixa vazia, em gramas."))


class ZeroBrake(Told):
    """When a run that would empty listings stops and asks."""

    share_percent: float | None = Field(description=N_("Dos anúncios de uma conta; null: como este hub foi instalado."))


class Replenishment(Told):
    """What counts for each SKU that has no rule of its own."""

    service_level_percent: float = Field(description=N_("Ciclos sem ruptura."))
    lead_time_days: float
    review_days: int
    window_days: int = Field(description=N_("Dias de vendas lidos."))
    handling: Handling
    returns_reduce: bool


class Rank(Told):
    """A warehouse's place: sales leave the lowest first."""

    code: str
    rank: int


class ShopPolicies(Told):
    """What the shop decides once."""

    orders: Orders
    warehouses: list[Rank]
    shipping: Shipping
    freight: Freight
    sender: Sender
    volumes: Volumes
    zero_brake: ZeroBrake
    replenishment: Replenishment


class OrdersChange(Asked):
    """What changes."""

    split: Split | None = Field(default=None, description=SPLIT)


class ShippingChange(Asked):
    """What changes; what is not given stays."""

    state: State | None = None
    stuck_days: int | None = _of_shop("envio", "stuck_days", DAYS)
    loss_days: int | None = _of_shop("envio", "loss_days", DAYS)
    pickup_days: int | None = _of_shop("envio", "pickup_days", DAYS)
    link_days: int | None = _of_shop("envio", "link_days", DAYS)
    quiet_from: Clock | None = None
    quiet_to: Clock | None = None


class FreightChange(Asked):
    """What changes; null goes back to the wider policy."""

    rule: Rule | None = None
    declares: bool | None = None


class SenderChange(Asked):
    """What changes; name, document, postal_code, street, city and state are all there, or nothing is."""

    name: Line | None = None
    document: Line | None = None
    phone: Line | None = None
    postal_code: Line | None = None
    street: Line | None = None
    number: Line | None = None
    complement: Line | None = None
    district: Line | None = None
    city: Line | None = None
    state: State | None = None


class VolumesChange(Asked):
    """What changes; null goes back to the wider policy."""

    most_g: int | None = _of_shop("volumes", "most_g")
    side_mm: int | None = _of_shop("volumes", "side_mm")
    sum_mm: int | None = _of_shop("volumes", "sum_mm")
    tare_g: int | None = _of_shop("volumes", "tare_g")


class ZeroBrakeChange(Asked):
    """What changes; null goes back to the installation's."""

    share_percent: int | None = _of_shop("freio", "share")


class ReplenishmentChange(Asked):
    """What changes; what is not given stays."""

    service_level_percent: float | None = _of_shop("reposicao", "service_level")
    lead_time_days: float | None = _of_shop("reposicao", "lead_time_days", DAYS)
    review_days: int | None = _of_shop("reposicao", "review_days", DAYS)
    window_days: int | None = _of_shop("reposicao", "window_days", DAYS)
    handling: Handling | None = None
    returns_reduce: bool | None = None


class AskedRank(Asked):
    """A warehouse's place from now on."""

    code: Name
    rank: int = Field(ge=0, le=1_000_000)


class ShopChange(Asked):
    """One part of what the shop decides, with what changes in it."""

    orders: OrdersChange | None = None
    warehouses: list[AskedRank] | None = Field(default=None, max_length=200)
    shipping: ShippingChange | None = None
    freight: FreightChange | None = None
    sender: SenderChange | None = None
    volumes: VolumesChange | None = None
    zero_brake: ZeroBrakeChange | None = None
    replenishment: ReplenishmentChange | None = None


# ── an account's ────────────────────────────────────────────────────────────────────────────────────────────


class Holding(Told):
    """When an order takes units out of sale elsewhere."""

    since: Literal["placed", "paid"] | None = Field(description=WIDER)
    unpaid_hours: int | None = Field(description=N_("Sem pagamento, solta depois de tantas horas; null: não solta."))


class Dispatch(Told):
    """By when an order leaves, where the channel does not say. `handling_days` null: only what the channel says."""

    handling_days: int | None = Field(description=N_("Dias úteis até sair."))
    cutoff: str = Field(description=N_("Pago até esta hora de um dia útil, aquele é o dia 0."))
    leaves_at: str


class Differences(Told):
    """What is done by itself about each kind of difference between the channel and the hub."""

    lost_push: Done
    external_edit_up: Done
    external_edit_down: Done
    wrong_link: Done
    unmanaged: Done
    paused: Done
    gone: Done


class Draws(Told):
    """From which warehouses the account sells."""

    split: Split | None = Field(description=WIDER)
    draws: list[str] = Field(description=N_("Códigos dos depósitos de onde a conta vende."))


class BuyerMail(Told):
    """Whether the hub writes to the account's buyers."""

    on: bool
    relays: bool = Field(description=N_("Também a endereços que o marketplace encaminha."))
    locale: Locale
    reply_to: str | None


class AccountPolicies(Told):
    """What is decided for one account."""

    holding: Holding
    dispatch: Dispatch
    differences: Differences
    stock: Draws
    buyer_mail: BuyerMail
    freight: Freight
    sender: Sender
    volumes: Volumes


class HoldingChange(Asked):
    """What changes; null goes back to the wider policy."""

    since: Literal["placed", "paid"] | None = None
    unpaid_hours: int | None = _of_account("reserva", "hours", N_("0 ou null: sem prazo."))


class DispatchChange(Asked):
    """What changes; what is not given stays."""

    handling_days: int | None = _of_account("despacho", "handling_days", N_("null: só o que o canal diz."))
    cutoff: Clock | None = None
    leaves_at: Clock | None = None


class DifferencesChange(Asked):
    """What changes; not every kind may be repaired or left by itself."""

    lost_push: Done | None = None
    external_edit_up: Done | None = None
    external_edit_down: Done | None = None
    wrong_link: Done | None = None
    unmanaged: Done | None = None
    paused: Done | None = None
    gone: Done | None = None


class DrawsChange(Asked):
    """What changes; `draws` are all the warehouses that it sells from."""

    split: Split | None = None
    draws: list[Name] | None = Field(default=None, min_length=1, max_length=200)


class BuyerMailChange(Asked):
    """What changes; what is not given stays."""

    on: bool | None = None
    relays: bool | None = None
    locale: Locale | None = None
    reply_to: Line | None = None


class AccountChange(Asked):
    """One part of what is decided for an account, with what changes in it."""

    holding: HoldingChange | None = None
    dispatch: DispatchChange | None = None
    differences: DifferencesChange | None = None
    stock: DrawsChange | None = None
    buyer_mail: BuyerMailChange | None = None
    freight: FreightChange | None = None
    sender: SenderChange | None = None
    volumes: VolumesChange | None = None


# ── before it is made ───────────────────────────────────────────────────────────────────────────────────────

Value = bool | int | float | str | list[str] | None


class FieldChange(Told):
    """One field that changes."""

    field: str = Field(description=N_("Como na parte; em warehouses, o código do depósito."))
    before: Value
    after: Value


class Touch(Told):
    """How many rows the change reaches."""

    what: Literal["listed_skus", "open_orders", "parcels_under_way", "planned_skus", "unpaid_orders"]
    count: int = Field(description=N_("Contados até 10000: com 10000 pode haver mais."))
    sentence: str = Field(description=N_("O que acontece com eles, em palavras."))


class PolicyPreview(Told):
    """What a change would change, and what that reaches; nothing is kept."""

    changes: list[FieldChange] = Field(description=N_("Vazio: já é assim."))
    touches: list[Touch] = Field(description=N_("Vazio: vale da próxima vez; nada do que já aconteceu é refeito."))
