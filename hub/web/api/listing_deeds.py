"""What is decided of a listing that stands still or sells nothing, and what is done by itself about differences."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, Field

from hub.drift import POLICIES, Policy, policies_of
from hub.store.held import Wanted
from hub.web.api.accounts import not_closed
from hub.web.api.listings import Listing, listing_row, open_listing
from hub.web.api.operations import Answer, Call, Operation, conflict
from hub.web.api.problems import Refused, Wrong
from hub.web.api.shapes import Asked, ById, Code, Line, Told
from hub.web.i18n import N_
from hub.web.pages.accounts import adapter_of
from jobs import link_desk, parked, proposals

TAG = "listings"
NOT_PARKED = N_("Este anúncio não está mais estacionado.")
NOT_BRAKED = N_("O freio não segura mais este anúncio.")
NO_LISTINGS = N_("%(name)s não tem anúncios: não há diferenças.")
ALLOWED = N_("Dê um destes: %(expected)s.")
BAD_CODE = N_("Dê um código de até 100 caracteres, sem espaços nas pontas.")


def _plain(code: str) -> str:
    if len(code) > link_desk.LONGEST_CODE or not code.isprintable() or code != code.strip():
        raise ValueError(BAD_CODE)
    return code


SkuCode = Annotated[Code, AfterValidator(_plain)]


class NewSku(Asked):
    """A SKU to make out of a listing."""

    code: SkuCode
    title: Line = Field(default="", description=N_("Vazio: o título do anúncio."))
    multiplier: int = Field(default=1, ge=1, le=100_000, description=N_("Unidades do SKU em cada unidade vendida."))


class RuleTold(Told):
    """What is done about a class of difference, and what could be."""

    policy: Policy
    allowed: list[Policy]


class Rules(Told):
    """By class."""

    rules: dict[str, RuleTold] = Field(
        description=N_("repair: o hub corrige; propose: pergunta; ignore: deixa como está.")
    )


class AskedRules(Asked):
    """What changes; what is not given stays."""

    lost_push: Policy | None = None
    external_edit_up: Policy | None = None
    external_edit_down: Policy | None = None
    wrong_link: Policy | None = None
    unmanaged: Policy | None = None
    paused: Policy | None = None
    gone: Policy | None = None


async def retry(call: Call) -> Answer:
    """The hub looks at it, then writes where it still differs."""
    row = await listing_row(call)
    if not await parked.unpark(call.rt, call.seller, Wanted(ids=[row["slot_id"]])):
        raise conflict(NOT_PARKED)
    return await open_listing(call)


async def release(call: Call) -> Answer:
    """Somebody has looked at the zero."""
    row = await listing_row(call)
    if not await parked.release(call.rt, call.seller, Wanted(ids=[row["slot_id"]])):
        raise conflict(NOT_BRAKED)
    return await open_listing(call)


async def new_sku(call: Call) -> Answer:
    """Linked to it at once; its stock is to be counted."""
    call.need("stock:write")
    row, asked = await listing_row(call), call.body(NewSku)
    title = " ".join(asked.title.split()) or " ".join((row["title"] or "").split())
    await link_desk.new_sku(call.rt, call.seller, row, asked.code, title[: link_desk.LONGEST_TITLE], asked.multiplier)
    return await open_listing(call)


def _rules(settings: Mapping[str, object]) -> Rules:
    told = policies_of(settings)
    return Rules(rules={name: RuleTold(policy=told[name], allowed=list(POLICIES[name])) for name in POLICIES})


async def rules(call: Call) -> Answer:
    """As they hold."""
    return _rules((await not_closed(call)).settings)


async def set_rules(call: Call) -> Answer:
    """From the next reading on."""
    account = await not_closed(call)
    adapter = adapter_of(account.channel)
    if adapter is None or adapter.listings is None:
        raise conflict(NO_LISTINGS, name=account.name)
    asked: dict[str, Policy] = call.body(AskedRules).model_dump(exclude_none=True)
    found = [
        Wrong(name, ALLOWED, {"expected": ", ".join(f"'{each}'" for each in POLICIES[name])})
        for name, policy in asked.items()
        if policy not in POLICIES[name]
    ]
    if found:
        raise Refused(422, wrong=found)
    held = policies_of(account.settings)
    for name, policy in asked.items():
        if held[name] != policy:
            await proposals.set_policy(call.rt, account, name, policy)
    return _rules((await not_closed(call)).settings)


OPERATIONS = (
    Operation(
        name="retry_listing", method="POST", path="/listings/{id}/retry", handler=retry, scope="listings:write",
        tag=TAG, summary=N_("Tentar de novo um anúncio que o canal recusou"), answer=Listing, named=ById,
        once="together", description=N_("O hub o lê, e escreve onde ainda difere."),
    ),
    Operation(
        name="release_listing", method="POST", path="/listings/{id}/release", handler=release,
        scope="accounts:approve", tag=TAG, summary=N_("Deixar ir um zero que o freio segura"), answer=Listing,
        named=ById, once="together",
    ),
    Operation(
        name="make_sku", method="POST", path="/listings/{id}/sku", handler=new_sku, scope="listings:write", tag=TAG,
        summary=N_("Fazer de um anúncio um SKU, e vinculá-lo"), answer=Listing, status=201, named=ById, body=NewSku,
        once="together", example={"code": "VASO-01", "title": "Vaso de barro"},
        description=N_("Pede também stock:write. Conte o estoque dele para o canal receber um número."),
    ),
    Operation(
        name="get_difference_rules", method="GET", path="/accounts/{id}/difference-rules", handler=rules,
        scope="listings:read", tag=TAG, summary=N_("O que se faz por si com cada diferença numa conta"), answer=Rules,
        named=ById,
    ),
    Operation(
        name="set_difference_rules", method="PATCH", path="/accounts/{id}/difference-rules", handler=set_rules,
        scope="accounts:approve", tag=TAG, summary=N_("Mudar o que se faz por si com cada diferença numa conta"),
        answer=Rules, named=ById, body=AskedRules, whole=True, example={"external_edit_up": "propose"},
        description=N_("Vale a partir da próxima leitura."),
    ),
)  # fmt: skip
