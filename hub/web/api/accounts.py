"""Accounts with their health, what can be connected, and what can be done about an account."""

from collections.abc import Collection
from datetime import timedelta
from functools import cache
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

import adapters
from hub import consent
from hub.contract import Adapter, Credentials
from hub.secrets import SecretsError
from hub.store import screens
from hub.store.accounts import Account as Known
from hub.web import words
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.shapes import Asked, ById, Instant, Line, Told
from hub.web.i18n import N_, Language
from hub.web.pages.accounts import check_sentence, label_of
from jobs import connect

TAG = "accounts"


class Account(Told):
    """A seller's connection to a channel. No credentials."""

    id: UUID
    channel: str
    label: str
    name: str
    external_id: str | None = Field(description=N_("Quem somos no canal."))
    status: Literal["preview", "live", "paused", "held", "closed"] = Field(
        description=N_("closed: foi desligada; a história dela fica, e reconnect_account a liga de novo.")
    )
    health: str
    held_reason: str | None
    stock_role: str
    braked_at: Instant | None
    checked_at: Instant | None
    approved_at: Instant | None
    polled_at: Instant | None = Field(description=N_("A última busca que deu certo."))
    noticed_at: Instant | None = Field(description=N_("O último aviso do canal, nas últimas 24 horas."))
    task_error: str | None
    inbox_due: int
    inbox_parked: int
    slots: int
    slots_due: int
    slots_parked: int
    slots_doubt: int


class Accounts(Told):
    """All that were asked for: a shop has one account for each store that it ever connected."""

    data: list[Account]


class WhichAccounts(Asked):
    """Which accounts."""

    status: Literal["connected", "preview", "live", "paused", "held", "closed"] = Field(
        default="connected", description=N_("connected: todas as que não foram desligadas; closed: as desligadas.")
    )


async def _rows(call: Call, *, closed: bool = False, only: UUID | None = None) -> list[dict[str, Any]]:
    async with call.tx() as tx:
        return await screens.accounts(tx, call.now, call.now - timedelta(days=1), closed=closed, only=only)


def _account(call: Call, row: dict[str, Any]) -> Account:
    _tone, health = words.account_health(row, call.now)
    return Account.model_validate(
        {**row, "label": label_of(row["channel"]), "health": call.language.gettext(health)}
    )  # fmt: skip


async def every(call: Call) -> Answer:
    """Accounts, oldest first."""
    wanted = call.query(WhichAccounts).status
    rows = await _rows(call, closed=wanted == "closed")
    return Accounts(data=[_account(call, row) for row in rows if wanted in ("connected", row["status"])])


async def told_account(call: Call, account_id: UUID) -> Account:
    """An account as it is told, one that was disconnected too."""
    rows = await _rows(call, only=account_id)
    if not rows:
        raise missing()
    return _account(call, rows[0])


async def open_account(call: Call, account_id: UUID) -> Account:
    """An account that is not closed, as it is told."""
    account = await told_account(call, account_id)
    if account.status == "closed":
        raise missing()
    return account


async def _one(call: Call) -> Account:
    return await open_account(call, call.path(ById).id)


async def one(call: Call) -> Answer:
    """One account, one that was disconnected too."""
    return await told_account(call, call.path(ById).id)


async def known(call: Call, account_id: UUID | None = None) -> Known:
    """An account, where none is named the one of the path."""
    try:
        return await call.rt.account(call.seller, account_id or call.path(ById).id)
    except LookupError:
        raise missing() from None


async def not_closed(call: Call, account_id: UUID | None = None) -> Known:
    """An account, where none is named the one of the path; one that was disconnected is not there."""
    account = await known(call, account_id)
    if account.status == "closed":
        raise missing()
    return account


class Checked(Told):
    """What the live check said."""

    ok: bool
    external_id: str | None
    name: str | None
    problem: str | None = Field(description=N_("O que está errado, em palavras."))


async def check(call: Call) -> Answer:
    """Ask the channel who we are there."""
    account = await not_closed(call)
    try:
        identity, problem = await connect.account_check(call.rt, account)
    except SecretsError as trouble:
        identity, problem = None, str(trouble)
    if identity is not None:
        return Checked(ok=True, external_id=identity.external_id, name=identity.name, problem=None)
    said = check_sentence(call.language, label_of(account.channel), problem or "")
    return Checked(ok=False, external_id=None, name=None, problem=said)


class Reason(Asked):
    """Why."""

    reason: Line = Field(default="", description=N_("Mostrado a quem olha a conta."))


async def pause(call: Call) -> Answer:
    """Stop talking to the account; its work is kept."""
    account = await known(call)
    await _one(call)
    if account.reads:
        await connect.pause(call.rt, account, call.body(Reason).reason.strip() or call.key.name)
    return await _one(call)


async def resume(call: Call) -> Answer:
    """Go on. Where zeros are held back they go with it."""
    account = await known(call)
    await _one(call)
    if account.braked_at:
        call.need("accounts:approve")
    if not account.reads or account.braked_at:
        await connect.resume(call.rt, account)
    return await _one(call)


class Channel(Told):
    """What can be connected."""

    name: str
    label: str
    kind: str
    facets: list[str] = Field(description=N_("O que o hub faz com ele."))
    oauth: bool = Field(description=N_("Liga-se entrando no canal, e não com chaves."))
    docs: str
    credentials: dict[str, Any] = Field(
        description=N_("O que se pede para ligá-lo por chaves, como JSON Schema; writeOnly são segredos.")
    )
    authorization: dict[str, Any] | None = Field(
        description=N_("O que se pede antes da página de autorização, como JSON Schema; null onde não há uma.")
    )


class Channels(Told):
    """Every channel."""

    data: list[Channel]


async def channels(call: Call) -> Answer:
    """Every channel and carrier of this installation."""
    return _channels(call.language)


@cache
def _channels(language: Language) -> Channels:
    """Made once in each language: schemas of credentials take a while to write."""
    return Channels(
        data=[
            Channel(
                name=name, label=adapter.label, kind=str(adapter.kind), facets=list(adapter.can()),
                oauth=adapter.oauth is not None, docs=adapter.docs,
                credentials=_asked_of(language, adapter.credentials),
                authorization=_before_consent(language, adapter),
            )
            for name, adapter in ((name, adapters.get(name)) for name in adapters.names())
        ]
    )  # fmt: skip


def _asked_of(language: Language, model: type[Credentials], but: Collection[str] = ()) -> dict[str, Any]:
    """A model of credentials as JSON Schema, with its titles and hints in the reader's language."""
    schema = model.model_json_schema()
    schema["properties"] = {
        name: {
            key: language.gettext(words.FIELDS[said]) if key in _SAID and said in words.FIELDS else said
            for key, said in about.items()
        }
        for name, about in schema["properties"].items()
        if name not in but
    }
    return schema


_SAID = ("title", "description")


def _before_consent(language: Language, adapter: Adapter) -> dict[str, Any] | None:
    if adapter.oauth is None:
        return None
    return _asked_of(language, consent.draft(adapter.credentials, adapter.oauth), adapter.oauth.untyped())


OPERATIONS = (
    Operation(
        name="list_accounts", method="GET", path="/accounts", handler=every, scope="accounts:read", tag=TAG,
        summary=N_("Contas, com a saúde de cada uma"), answer=Accounts, query=WhichAccounts,
    ),
    Operation(
        name="get_account", method="GET", path="/accounts/{id}", handler=one, scope="accounts:read", tag=TAG,
        summary=N_("Uma conta"), answer=Account, named=ById,
    ),
    Operation(
        name="check_account", method="POST", path="/accounts/{id}/check", handler=check, scope="accounts:write",
        tag=TAG, summary=N_("Perguntar ao canal se o acesso vale"), answer=Checked, named=ById,
    ),
    Operation(
        name="pause_account", method="POST", path="/accounts/{id}/pause", handler=pause, scope="accounts:write",
        tag=TAG, summary=N_("Pausar uma conta"), answer=Account, named=ById, body=Reason,
        example={"reason": "férias coletivas"}, once="together",
        description=N_("Nada é lido nem escrito até a retomada; o trabalho fica guardado."),
    ),
    Operation(
        name="resume_account", method="POST", path="/accounts/{id}/resume", handler=resume, scope="accounts:write",
        tag=TAG, summary=N_("Retomar uma conta"), answer=Account, named=ById, once="together",
        description=N_("Onde o freio segura zeros, eles saem: pede então também accounts:approve."),
    ),
    Operation(
        name="list_channels", method="GET", path="/channels", handler=channels, scope="accounts:read", tag=TAG,
        summary=N_("Canais e transportadoras que podem ser ligados"), answer=Channels,
    ),
)  # fmt: skip
