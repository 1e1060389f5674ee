"""Connecting accounts: by keys that are looked at first, or by an authorization; again, named otherwise, no more."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from hub import consent
from hub.contract import Adapter
from hub.faults import ChannelError
from hub.secrets import SecretsError
from hub.store.accounts import Account as Known
from hub.web import account_words, words
from hub.web.api.accounts import Account, known, not_closed, open_account
from hub.web.api.operations import Answer, Call, Operation, conflict
from hub.web.api.problems import SENTENCES, Refused, Wrong, wrong
from hub.web.api.refusals import SAID
from hub.web.api.shapes import Asked, ById, Instant, Name, Told
from hub.web.i18n import N_
from hub.web.pages.accounts import adapter_of, label_of
from jobs import admission, connect, consents, hooks, poll, roles
from jobs.admission import AWAY, Admitted, Turned

TAG = "accounts"
SCOPE = "accounts:connect"
NO_CHANNEL = N_("Não há o canal %(channel)s: veja GET /channels.")
NO_PAGE = N_("%(label)s não tem página de autorização: ligue pelas chaves.")
GONE = N_("%(channel)s não está instalado.")
Value = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]
Keys = Annotated[dict[str, Value], Field(max_length=40)]
KEYS = N_("Os campos que GET /channels diz, como textos. Nunca são respondidos.")


class Connection(Asked):
    """A new account by its keys."""

    channel: Name = Field(description=N_("O nome do canal, como GET /channels o diz."))
    name: Name | None = Field(default=None, description=N_("Como chamar a conta; sem ele, o nome do canal."))
    credentials: Keys = Field(description=KEYS)


class Reconnection(Asked):
    """New keys."""

    credentials: Keys = Field(
        description=N_(
            "Só o que mudou: o que não vem fica como está. Um texto vazio retira um campo, menos segredos. Com outro "
            "endereço, os segredos vêm de novo."
        )
    )


class Connected(Told):
    """An account that was let in."""

    account: Account
    there: str | None = Field(description=N_("De quem é a conta, como o canal diz; null enquanto ele não respondeu."))
    problem: str | None = Field(description=N_("Por que o canal não disse de quem é: a conta fica, e espera por ele."))
    reopened: bool = Field(description=N_("Já esteve ligada: a história dela continua."))
    webhook_url: str | None = Field(
        description=N_("Para onde o canal manda avisos, se manda: um endereço secreto, que só esta resposta diz.")
    )


class Authorization(Asked):
    """An account to connect by the channel's own page."""

    channel: Name = Field(description=N_("O nome do canal, como GET /channels o diz."))
    name: Name | None = Field(default=None, description=N_("Como chamar a conta; sem ele, o nome do canal."))
    credentials: Keys = Field(
        default={}, description=N_("Os campos de authorization de GET /channels; o que o hub já guarda pode faltar.")
    )


class Again(Asked):
    """An account to connect again by the channel's own page."""

    credentials: Keys = Field(default={}, description=N_("O que mudou da aplicação; o que não vem fica como está."))


class Leave(Told):
    """Where to send a person."""

    url: str = Field(description=N_("A página do canal: abra num navegador em que entrou quem pode ligar contas."))
    returns_to: str = Field(description=N_("Para onde o canal manda a pessoa de volta: cadastre na aplicação dele."))
    expires_at: Instant = Field(description=N_("Até quando a volta é aceita, uma vez só."))


class Rename(Asked):
    """Another name."""

    name: Name


class Registered(Told):
    """What was made or mended at the channel; empty: it was right already."""

    done: list[str] = Field(description=N_("Nas palavras do canal."))


class Ended(Told):
    """What disconnecting did."""

    unsubscribed: list[str] = Field(description=N_("Os avisos que foram retirados do canal."))
    problem: str | None = Field(description=N_("Por que os avisos não puderam ser retirados: apague-os no canal."))
    open_orders: int = Field(description=N_("Pedidos abertos que ficam com as suas unidades até alguém os acertar."))


# ── what was sent, and what came of it ──────────────────────────────────────────────────────────────────────


def _channel(name: str) -> Adapter:
    adapter = adapter_of(name)
    if adapter is None:
        raise wrong("channel", NO_CHANNEL, channel=name)
    return adapter


def _adapter(account: Known) -> Adapter:
    adapter = adapter_of(account.channel)
    if adapter is None:
        raise conflict(GONE, channel=account.channel)
    return adapter


def _typed(told: dict[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in told.items()}


def _refuse(amiss: dict[str, str]) -> None:
    """422 with each field of the credentials that is wrong."""
    if not amiss:
        return
    own = {"extra_forbidden": SENTENCES["extra_forbidden"], **words.FIELD_PROBLEMS}
    raise Refused(
        422, wrong=[
            Wrong(f"credentials.{name}" if name else "credentials", own.get(kind, words.FIELD_PROBLEM), {})
            for name, kind in amiss.items()
        ],
    )  # fmt: skip


def _turned(call: Call, refusal: Turned) -> Refused:
    """Keys that the channel refuses are a wrong input; another account in the way, or a channel away, is none."""
    said = account_words.turned(call.language, refusal)
    if refusal.why == "refused" and refusal.told["fault"] not in AWAY:
        return wrong("credentials", SAID, said=said)
    return conflict(SAID, said=said)


async def _connected(call: Call, made: Admitted, *, opened: bool) -> Connected:
    account, adapter = made.account, call.rt.adapter(made.account.channel)
    problem = None
    if made.problem is not None:
        problem = account_words.fault(call.language, adapter.label, made.problem.fault, made.problem.detail)
    tells = opened and adapter.webhook is not None
    return Connected(
        account=await open_account(call, account.id), there=made.identity.name if made.identity else None,
        problem=problem, reopened=made.reopened,
        webhook_url=await poll.webhook_url(call.rt, account) if tells else None,
    )  # fmt: skip


# ── by keys ─────────────────────────────────────────────────────────────────────────────────────────────────


async def connect_account(call: Call) -> Answer:
    """The channel is asked whose the keys are before anything is kept."""
    asked = call.body(Connection)
    adapter, typed = _channel(asked.channel), _typed(asked.credentials)
    told = connect.merged(adapter.credentials, {}, typed)
    _refuse(connect.amiss(adapter.credentials, told))
    try:
        credentials = connect.read_credentials(adapter, told)
        made = await admission.admit(call.rt, call.seller, asked.channel, credentials, name=_name(asked.name))
    except Turned as refusal:
        raise _turned(call, refusal) from None
    return await _connected(call, made, opened=True)


def _name(told: str | None) -> str | None:
    return told.strip() if told else None


async def reconnect(call: Call) -> Answer:
    """Nothing changes unless the channel takes them, for the same shop."""
    account = await known(call)
    adapter, model = _adapter(account), _adapter(account).credentials
    try:
        kept: dict[str, Any] = await admission.kept_fields(call.rt, account)
    except SecretsError:  # sealed under a key that is gone: everything is told again
        kept = {}
    told = connect.merged(model, kept, _typed(call.body(Reconnection).credentials))
    _refuse(connect.amiss(model, told))
    try:
        made = await admission.readmit(call.rt, account, connect.read_credentials(adapter, told))
    except Turned as refusal:
        raise _turned(call, refusal) from None
    return await _connected(call, made, opened=made.reopened)


# ── by authorization ────────────────────────────────────────────────────────────────────────────────────────


async def authorize(call: Call) -> Answer:
    """For a new account."""
    asked = call.body(Authorization)
    _channel(asked.channel)
    return await _leave(call, asked.channel, asked.credentials, name=_name(asked.name))


async def authorize_again(call: Call) -> Answer:
    """For an account that is there."""
    account = await known(call)
    _adapter(account)
    return await _leave(call, account.channel, call.body(Again).credentials, account=account)


async def _leave(
    call: Call, channel: str, typed: dict[str, str], *, name: str | None = None, account: Known | None = None
) -> Leave:
    if call.rt.adapter(channel).oauth is None:
        raise conflict(NO_PAGE, label=label_of(channel))
    base = consent.home(call.rt.policy.public_url, f"{call.request.scheme}://{call.request.host}")
    if base is None:
        raise conflict(account_words.NO_ADDRESS)
    told, amiss = await consents.typed_over(call.rt, call.seller, channel, _typed(typed), account)
    _refuse(amiss)
    asker = consents.Asker(seller_id=call.seller)
    now = call.now
    page = await consents.begin(call.rt, asker, channel, told, base, name=name, account=account)
    return Leave(url=page, returns_to=consent.return_address(base, channel), expires_at=now + consents.LASTS)


# ── an account that is there ────────────────────────────────────────────────────────────────────────────────


async def rename(call: Call) -> Answer:
    """Call it otherwise."""
    account, name = await not_closed(call), call.body(Rename).name.strip()
    if not name:  # a no-break space
        raise wrong("name", N_("Escreva um nome para a conta."))
    if name != account.name:
        try:
            await admission.rename(call.rt, account, name)
        except Turned as refusal:
            raise _turned(call, refusal) from None
    return await open_account(call, account.id)


async def register(call: Call) -> Answer:
    """Make its registration right at the channel."""
    account = await known(call)
    label = _adapter(account).label
    try:
        return Registered(done=await hooks.register(call.rt, account))
    except hooks.Unregistered as refusal:
        raise conflict(account_words.UNREGISTERED[refusal.why], label=label, name=account.name) from None
    except ChannelError as problem:
        raise conflict(account_words.FAULTS[problem.fault], label=label, detail=problem.detail) from None


async def disconnect(call: Call) -> Answer:
    """For good; its history stays."""
    account = await not_closed(call)
    _adapter(account)
    done = await roles.close(call.rt, account)
    return Ended(unsubscribed=list(done.unsubscribed), problem=done.problem, open_orders=done.open_orders)


OPERATIONS = (
    Operation(
        name="connect_account", method="POST", path="/accounts", handler=connect_account, scope=SCOPE, tag=TAG,
        summary=N_("Ligar uma conta pelas chaves"), answer=Connected, status=201, body=Connection, once="apart",
        description=N_(
            "O canal é perguntado antes: chaves que ele recusa não são guardadas. A conta nasce em prévia, e nada é "
            "escrito nela até a aprovação."
        ),
        example={
            "channel": "woocommerce", "name": "Loja da Ana",
            "credentials": {"store_url": "https://loja.example", "consumer_key": "ck_1", "consumer_secret": "cs_1"},
        },
    ),
    Operation(
        name="reconnect_account", method="POST", path="/accounts/{id}/reconnect", handler=reconnect, scope=SCOPE,
        tag=TAG, summary=N_("Dar chaves novas a uma conta"), answer=Connected, named=ById, body=Reconnection,
        once="apart",
        description=N_(
            "Só as da mesma loja; nada muda se o canal as recusa ou não responde. De uma conta desligada nada ficou "
            "guardado: todas as chaves são dadas de novo, e ela volta em prévia, com a história que tinha."
        ),
        example={"credentials": {"consumer_secret": "cs_2"}},
    ),
    Operation(
        name="authorize_account", method="POST", path="/authorizations", handler=authorize, scope=SCOPE, tag=TAG,
        summary=N_("Começar a autorização de uma conta nova"), answer=Leave, status=201, body=Authorization,
        once="together",
        description=N_(
            "Responde a página do canal. Quem a abre volta ao hub, e lá precisa ter entrado com um papel que liga "
            "contas; a conta aparece então em GET /accounts."
        ),
        example={"channel": "mercadolivre", "credentials": {"client_id": "77", "client_secret": "s3gredo"}},
    ),
    Operation(
        name="reauthorize_account", method="POST", path="/accounts/{id}/authorize", handler=authorize_again,
        scope=SCOPE, tag=TAG, summary=N_("Começar de novo a autorização de uma conta"), answer=Leave, status=201,
        named=ById, body=Again, once="together", example={},
    ),
    Operation(
        name="rename_account", method="PATCH", path="/accounts/{id}", handler=rename, scope=SCOPE, tag=TAG,
        summary=N_("Dar outro nome a uma conta"), answer=Account, named=ById, body=Rename,
        example={"name": "Loja do centro"},
    ),
    Operation(
        name="register_webhooks", method="POST", path="/accounts/{id}/webhooks", handler=register, scope=SCOPE,
        tag=TAG, summary=N_("Registrar de novo os avisos de uma conta no canal"), answer=Registered, named=ById,
    ),
    Operation(
        name="disconnect_account", method="DELETE", path="/accounts/{id}", handler=disconnect, scope=SCOPE, tag=TAG,
        summary=N_("Desligar uma conta"), answer=Ended, named=ById,
        description=N_(
            "As chaves são apagadas e nada mais é lido nem escrito; a história fica, e volta se a mesma loja for "
            "ligada de novo."
        ),
    ),
)  # fmt: skip
