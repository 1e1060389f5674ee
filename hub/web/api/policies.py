"""Policies: what the shop decides once, for all or for an account, and the words that its buyers are written to in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints, TypeAdapter

from hub import buyer_mail as decide
from hub.store import deadlines, mails
from hub.store.accounts import Account
from hub.web import policy_words
from hub.web.api import policy_shapes as shapes
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.policy_shapes import (
    AccountChange,
    AccountPolicies,
    AskedRank,
    FieldChange,
    Locale,
    PolicyPreview,
    ShopChange,
    ShopPolicies,
    Touch,
)
from hub.web.api.problems import Refused, Wrong, wrong
from hub.web.api.shapes import Asked, ById, Told
from hub.web.i18n import N_
from hub.web.pages import policy_deeds
from hub.web.pages.buyer_mail import BAD
from hub.web.policy_words import Field as Decided
from hub.web.policy_words import Group
from jobs import mails as mail_flow

TAG = "settings"
READ, WRITE = "policies:read", "policies:write"
# What has a scope of its own elsewhere asks for that here as well.
ALSO = {
    "zero_brake": "accounts:approve", "differences": "accounts:approve", "warehouses": "warehouses:write",
    "draws": "warehouses:write",
}  # fmt: skip
ONE = N_("Mude uma parte de cada vez: ela é mudada inteira ou não é.")
SHOPS = N_(
    "Uma parte de cada vez: ela é mudada inteira ou não é. zero_brake pede também accounts:approve, e warehouses, "
    "warehouses:write."
)
ACCOUNTS = N_(
    "Uma parte de cada vez: ela é mudada inteira ou não é. differences pede também accounts:approve, e stock.draws, "
    "warehouses:write."
)
PREVIEW = N_("Com o mesmo corpo, o que muda e quantas linhas isso alcança. Nada é guardado.")
NO_HOUSE = N_("Não há depósito aberto com o código %(code)s.")


# ── what holds ──────────────────────────────────────────────────────────────────────────────────────────────


def _told(group: Group, held: Mapping[str, str]) -> Any:
    """A group's values as its model takes them."""
    if group.key == "depositos":
        return [{"code": name.removeprefix(policy_deeds.RANK), "rank": held[name]} for name in held]
    plain: dict[str, Any] = {
        shapes.RENAMED.get(name, name): word or None for name, word in held.items()
        if not name.startswith(policy_deeds.DRAWS)
    }  # fmt: skip
    if group.key == "estoque":
        plain["draws"] = [name.removeprefix(policy_deeds.DRAWS) for name, word in held.items()
                          if name.startswith(policy_deeds.DRAWS) and word]  # fmt: skip
    return plain


async def _document(call: Call, account: Account | None) -> dict[str, Any]:
    parts, groups = (shapes.SHOP, policy_words.SELLER) if account is None else (shapes.ACCOUNT, policy_words.ACCOUNT)
    made = {}
    async with call.tx() as tx:
        for part, key in parts.items():
            group = shapes.group_of(groups, key)
            _fields, held = await policy_deeds.held(call.rt, tx, group, account)
            made[part] = _told(group, held)
    return made


async def show_shop(call: Call) -> Answer:
    """What holds now."""
    return ShopPolicies.model_validate(await _document(call, None))


async def _account(call: Call) -> Account:
    try:
        account = await call.rt.account(call.seller, call.path(ById).id)
    except LookupError:
        raise missing() from None
    if account.status == "closed" or not policy_deeds.sells(account.channel):
        raise missing(N_("Esta conta não tem políticas: está fechada, ou não traz pedidos."))
    return account


async def show_account(call: Call) -> Answer:
    """What holds now; null where the wider policy does."""
    return AccountPolicies.model_validate(await _document(call, await _account(call)))


# ── changes ─────────────────────────────────────────────────────────────────────────────────────────────────


def _word(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, int | float) else str(value)


def _words(group: Group, change: Any, held: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What is asked for, by the names of the group's fields, and the name that each has in the API."""
    if group.key == "depositos":
        ranks: list[AskedRank] = change
        return (
            {f"{policy_deeds.RANK}{each.code}": _word(each.rank) for each in ranks},
            {f"{policy_deeds.RANK}{each.code}": f"{place}.code" for place, each in enumerate(ranks)},
        )
    asked: dict[str, Any] = change.model_dump(exclude_unset=True)
    ours = {shapes.RENAMED.get(name, name): name for name in held}
    draws = asked.pop("draws", None)
    words = {ours[name]: _word(value) for name, value in asked.items()}
    names = {ours[name]: name for name in asked}
    if draws is not None:
        chosen = {f"{policy_deeds.DRAWS}{code}": "yes" for code in draws}
        words |= {name: "" for name in held if name.startswith(policy_deeds.DRAWS)} | chosen
        names |= dict.fromkeys(chosen, "draws")
    return words, names


def _refuse(part: str, names: Mapping[str, str], problems: Mapping[str, tuple[str, Mapping[str, object]]]) -> None:
    found = [
        Wrong(f"{part}.{names.get(name, 'draws' if name.startswith(policy_deeds.DRAWS) else name)}", sentence, params)
        for name, (sentence, params) in problems.items()
    ]
    if found:
        raise Refused(422, wrong=found)


def _known(fields: Mapping[str, Decided], words: Mapping[str, str]) -> dict[str, tuple[str, Mapping[str, object]]]:
    """Warehouses that are asked for and are not there."""
    return {name: (NO_HOUSE, {"code": name.partition(":")[2]}) for name in words if ":" in name and name not in fields}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Planned:
    """A change that may be made: what holds of its group, and what would, as forms take it."""

    part: str
    group: Group
    held: Mapping[str, str]
    told: Mapping[str, str]

    @property
    def changed(self) -> set[str]:
        return {name for name in self.told if self.told[name] != self.held[name]}


async def _planned(call: Call, account: Account | None, asked: BaseModel) -> _Planned:
    if len(asked.model_fields_set) != 1:
        raise wrong("body", ONE)
    part = next(iter(asked.model_fields_set))
    change = getattr(asked, part)
    if change is None:
        raise wrong(part, N_("Diga o que muda."))
    for name in {part, *getattr(change, "model_fields_set", ())} & ALSO.keys():
        call.need(ALSO[name])
    parts, groups = (shapes.SHOP, policy_words.SELLER) if account is None else (shapes.ACCOUNT, policy_words.ACCOUNT)
    group = shapes.group_of(groups, parts[part])
    async with call.tx() as tx:
        fields, held = await policy_deeds.held(call.rt, tx, group, account)
    by_name = {field.name: field for field in fields}
    words, names = _words(group, change, held)
    _refuse(part, names, _known(by_name, words))
    told, problems = dict(held), {}
    for name, word in words.items():
        field = by_name[name]
        told[name], kind = policy_deeds.read(field, word)
        if kind:
            problems[name] = (policy_words.PROBLEM[kind], {"low": f"{field.low:g}", "high": f"{field.high:g}"})
    _refuse(part, names, problems)
    between = policy_deeds.refused(call.rt, group, told)
    _refuse(part, names, {name: (policy_words.PROBLEM[kind], {}) for name, kind in between.items()})
    if part == "dispatch" and words and not told["handling_days"] and "handling_days" not in words:
        raise wrong("dispatch.handling_days", N_("Diga em quantos dias úteis os pedidos saem."))
    return _Planned(part=part, group=group, held=held, told=told)


async def _change(call: Call, account: Account | None, asked: BaseModel) -> None:
    planned = await _planned(call, account, asked)
    if planned.changed:
        await policy_deeds.save(call.rt, call.seller, planned.group, account, planned.told, planned.changed)


async def _preview(call: Call, account: Account | None, asked: BaseModel) -> PolicyPreview:
    planned = await _planned(call, account, asked)
    if not planned.changed:
        return PolicyPreview(changes=[], touches=[])
    async with call.tx() as tx:
        counts = await policy_deeds.touched(tx, planned.group, account)
    words = policy_deeds.reach(call.language, planned.group, counts)
    document = ShopPolicies if account is None else AccountPolicies
    before, after = (_fields(document, planned, each) for each in (planned.held, planned.told))
    return PolicyPreview(
        changes=[
            FieldChange(field=name, before=before[name], after=after[name])
            for name in after if after[name] != before[name]
        ],
        touches=[
            Touch.model_validate({"what": what, "count": count, "sentence": sentence})
            for (what, count), sentence in zip(counts.items(), words, strict=True)
        ],
    )  # fmt: skip


def _fields(document: type[BaseModel], planned: _Planned, words: Mapping[str, str]) -> dict[str, Any]:
    """A part's values by field, as the document tells them."""
    kind: Any = document.model_fields[planned.part].annotation
    told = TypeAdapter(kind).validate_python(_told(planned.group, words))
    return {each.code: each.rank for each in told} if isinstance(told, list) else told.model_dump()


async def preview_shop(call: Call) -> Answer:
    """Nothing is kept."""
    return await _preview(call, None, call.body(ShopChange))


async def preview_account(call: Call) -> Answer:
    """Nothing is kept."""
    return await _preview(call, await _account(call), call.body(AccountChange))


async def change_shop(call: Call) -> Answer:
    """What is not given stays."""
    await _change(call, None, call.body(ShopChange))
    return ShopPolicies.model_validate(await _document(call, None))


async def change_account(call: Call) -> Answer:
    """What is not given stays."""
    await _change(call, await _account(call), call.body(AccountChange))
    return AccountPolicies.model_validate(await _document(call, await _account(call)))


# ── buyer messages ──────────────────────────────────────────────────────────────────────────────────────────

Event = Literal["dispatched", "out_for_delivery", "awaiting_pickup", "delivered"]
Subject = Annotated[
    str, StringConstraints(min_length=1, max_length=decide.MOST_SUBJECT, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=decide.MOST_BODY, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"),
]


class BuyerMessage(Told):
    """The words for one event in one language, and how they read with a made-up order."""

    event: Event
    locale: Locale
    own: bool = Field(description=N_("false: o texto que vem com o hub."))
    subject: str
    body: str
    sample_subject: str
    sample_text: str


class BuyerMessages(Told):
    """Every event in every language."""

    fields: list[str] = Field(description=N_("O que os textos podem citar, entre chaves."))
    data: list[BuyerMessage]


class Words(Asked):
    """The shop's own words."""

    event: Event
    locale: Locale
    subject: Subject
    body: Text = Field(description=N_("Uma linha que cita o que não se sabe fica de fora."))


class Which(Asked):
    """Which words."""

    event: Event
    locale: Locale


async def _messages(call: Call) -> list[BuyerMessage]:
    async with call.tx() as tx:
        own = await mails.templates(tx)
        shop = (await deadlines.shipping(tx))["name"]
    found = []
    for event in decide.EVENTS:
        for locale in decide.LOCALES:
            held = own.get((event, locale)) or decide.TEMPLATES[locale][event]
            reads = decide.render(held, {**decide.SAMPLE[locale], "store": shop})
            found.append(
                BuyerMessage.model_validate(
                    {"event": event, "locale": locale, "own": (event, locale) in own, "subject": held.subject,
                     "body": held.body, "sample_subject": reads.subject, "sample_text": reads.text}
                )
            )  # fmt: skip
    return found


async def list_messages(call: Call) -> Answer:
    """In the order of events."""
    return BuyerMessages(fields=list(decide.FIELDS), data=await _messages(call))


async def put_message(call: Call) -> Answer:
    """From the next e-mail on."""
    asked = call.body(Words)
    told = decide.template(asked.subject, asked.body)
    if problem := decide.problem_with(told):
        field = problem.partition(":")[0]
        raise wrong(field, BAD[field])
    await mail_flow.set_template(call.rt, call.seller, asked.event, asked.locale, told)
    return await _message(call, asked.event, asked.locale)


async def _message(call: Call, event: str, locale: str) -> BuyerMessage:
    return next(each for each in await _messages(call) if (each.event, each.locale) == (event, locale))


async def drop_message(call: Call) -> Answer:
    """Back to the words that come with the hub."""
    asked = call.query(Which)
    await mail_flow.set_template(call.rt, call.seller, asked.event, asked.locale, None)
    return await _message(call, asked.event, asked.locale)


OPERATIONS = (
    Operation(
        name="get_policies", method="GET", path="/policies", handler=show_shop, scope=READ, tag=TAG,
        summary=N_("As políticas da loja"), answer=ShopPolicies,
    ),
    Operation(
        name="change_policies", method="PATCH", path="/policies", handler=change_shop, scope=WRITE, tag=TAG,
        summary=N_("Mudar uma parte das políticas da loja"), answer=ShopPolicies, body=ShopChange,
        whole=True, description=SHOPS, example={"shipping": {"stuck_days": 6}},
    ),
    Operation(
        name="preview_policies", method="POST", path="/policies/preview", handler=preview_shop, scope=WRITE, tag=TAG,
        summary=N_("O que mudar uma parte das políticas da loja alcança"), answer=PolicyPreview, body=ShopChange,
        description=PREVIEW, example={"shipping": {"stuck_days": 6}},
    ),
    Operation(
        name="get_account_policies", method="GET", path="/accounts/{id}/policies", handler=show_account, scope=READ,
        tag=TAG, summary=N_("As políticas de uma conta"), answer=AccountPolicies, named=ById,
    ),
    Operation(
        name="change_account_policies", method="PATCH", path="/accounts/{id}/policies", handler=change_account,
        scope=WRITE, tag=TAG, summary=N_("Mudar uma parte das políticas de uma conta"), answer=AccountPolicies,
        named=ById, body=AccountChange, whole=True, description=ACCOUNTS,
        example={"holding": {"since": "paid"}},
    ),
    Operation(
        name="preview_account_policies", method="POST", path="/accounts/{id}/policies/preview",
        handler=preview_account, scope=WRITE, tag=TAG, named=ById, body=AccountChange, answer=PolicyPreview,
        summary=N_("O que mudar uma parte das políticas de uma conta alcança"), description=PREVIEW,
        example={"holding": {"since": "paid"}},
    ),
    Operation(
        name="list_buyer_messages", method="GET", path="/buyer-messages", handler=list_messages, scope=READ, tag=TAG,
        summary=N_("Os textos dos e-mails aos compradores"), answer=BuyerMessages,
    ),
    Operation(
        name="put_buyer_message", method="PUT", path="/buyer-messages", handler=put_message, scope=WRITE, tag=TAG,
        summary=N_("Guardar um texto da loja"), answer=BuyerMessage, body=Words,
        example={"event": "delivered", "locale": "pt_BR", "subject": "Pedido {order} entregue",
                 "body": "{greeting}\n\nSeu pedido {order} foi entregue.\n\n{store}"},
    ),
    Operation(
        name="reset_buyer_message", method="DELETE", path="/buyer-messages", handler=drop_message, scope=WRITE,
        tag=TAG, summary=N_("Voltar ao texto que vem com o hub"), answer=BuyerMessage, query=Which,
    ),
)  # fmt: skip
