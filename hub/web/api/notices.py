"""Notices: the ways by which people are told of alerts. Addresses of chats are taken and never told again."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import time
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints, field_validator

from hub import members as decide_members
from hub import playbooks
from hub.store import members
from hub.store import notices as store
from hub.web import notices_words
from hub.web.api import authority
from hub.web.api.operations import Answer, Call, Operation, conflict, missing
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, ById, Clock, Instant, Name, Told
from hub.web.i18n import N_
from hub.web.pages.notices import LONGEST_NAME, why
from jobs import notices as flow
from jobs.notices import NoticeRefused

TAG = "alerts"
READ, WRITE = "notices:read", "notices:write"
Format = Literal["email", "slack", "discord", "google_chat", "teams", "telegram"]
Least = Literal["urgent", "warning", "info"]
Scope = Literal["mine", "all"]
WayName = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_NAME, pattern=r"^[^\x00-\x20\x7f][^\x00-\x1f\x7f]*$")
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[!-~]+$")]
WISHES = ("name", "least", "scope", "kinds", "handed", "quiet", "digest_at")
NO_WAY = N_("Não há este caminho de avisos.")
LEAST = N_("O menos grave de que avisa: urgent, só os urgentes; info, todos.")
SCOPE = N_("mine: os da pessoa e os do papel dela sem dono; all: os de toda a loja.")
KINDS = N_("Só destes tipos; null: todos.")
HANDED = N_("Também o que passa a ser da pessoa, seja o que for.")
QUIET = N_("Horas de silêncio, menos para urgentes; null: nenhuma.")
DIGEST = N_("A que horas vai o resumo da manhã, do que vence, venceu ou é urgente; null: não vai.")


class Quiet(Told):
    """From one hour to another, by the shop's clock."""

    since: str
    until: str


class AskedQuiet(Asked):
    """From one hour to another, by the shop's clock."""

    since: Clock
    until: Clock


class Way(Told):
    """One of a person's ways. Where it leads stays sealed."""

    id: UUID
    person_id: UUID = Field(validation_alias="user_id")
    person: str
    format: Format
    name: str
    least: Least = Field(description=LEAST)
    scope: Scope = Field(description=SCOPE)
    kinds: list[str] | None = Field(description=KINDS)
    handed: bool = Field(description=HANDED)
    quiet: Quiet | None = Field(description=QUIET)
    digest_at: str | None = Field(description=DIGEST)
    enabled: bool
    off_at: Instant | None
    why_off: str | None = Field(description=N_("Por que o hub desligou; null: uma pessoa, ou está ligado."))
    sent_at: Instant | None
    failures: int = Field(description=N_("Seguidas, até agora."))


class Ways(Told):
    """All of them, by person."""

    data: list[Way]


class _Wishes(Asked):
    least: Least | None = Field(default=None, description=LEAST)
    scope: Scope | None = Field(default=None, description=SCOPE)
    kinds: list[Name] | None = Field(default=None, min_length=1, max_length=100, description=KINDS)
    handed: bool | None = Field(default=None, description=HANDED)
    quiet: AskedQuiet | None = Field(default=None, description=QUIET)
    digest_at: Clock | None = Field(default=None, description=DIGEST)

    @field_validator("kinds")
    @classmethod
    def _known(cls, told: list[str] | None) -> list[str] | None:
        if told is not None and not set(told) <= playbooks.RULES.keys():
            raise ValueError(N_("Não há este tipo de alerta: veja list_playbooks."))
        return told


class NewWay(_Wishes):
    """A way to add. What is not given: urgent ones that are the person's, at any hour, without a summary."""

    person_id: UUID = Field(description=N_("De quem é: alguém que trabalha nesta loja."))
    format: Format
    name: WayName
    url: Secret | None = Field(default=None, description=N_("O webhook do chat; não para email e telegram."))
    token: Secret | None = Field(default=None, description=N_("Do bot; só para telegram."))
    chat: Secret | None = Field(default=None, description=N_("O número ou @nome da conversa; só para telegram."))


class WayChange(_Wishes):
    """What changes; what is not given stays."""

    name: WayName | None = None
    enabled: bool | None = None


class Tried(Told):
    """What came of a test."""

    sent: bool
    problem: str | None = Field(description=N_("O que está errado, em palavras."))


@contextmanager
def _obeyed(call: Call) -> Iterator[None]:
    """A flow's refusal as a problem, by its field where it has one."""
    try:
        yield
    except NoticeRefused as refusal:
        sentence, told = notices_words.REFUSAL[refusal.kind], dict(refusal.params)
        field = told.pop("field", None)
        if "other" in told:
            told["other"] = call.language.gettext(notices_words.FORMAT.get(str(told["other"]), "%(other)s"), **told)
        if refusal.kind == "unknown":
            raise missing(NO_WAY) from None
        if field is not None:
            raise wrong(str(field), sentence, **told) from None
        raise conflict(sentence, **told) from None


def _way(call: Call, row: dict[str, Any]) -> Way:
    since, _, until = (row["quiet"] or "").partition("-")
    return Way.model_validate(
        {
            **row, "quiet": Quiet(since=since, until=until) if until else None,
            "digest_at": f"{row['digest_at']:%H:%M}" if row["digest_at"] else None, "enabled": row["off_at"] is None,
            "why_off": why(call.language, row["off_reason"]) if row["off_at"] and row["off_reason"] else None,
        }
    )  # fmt: skip


async def _ways(call: Call) -> list[dict[str, Any]]:
    async with call.tx() as tx:
        return await store.everybodys(tx)


async def list_ways(call: Call) -> Answer:
    """Those that are off too."""
    return Ways(data=[_way(call, row) for row in await _ways(call)])


async def _mine(call: Call) -> dict[str, Any]:
    """The way that the path names, where the key looks after its person."""
    row = next((row for row in await _ways(call) if row["id"] == call.path(ById).id), None)
    if row is None:
        raise missing(NO_WAY)
    await _looks_after(call, row["user_id"], row["role"])
    return row


async def _looks_after(call: Call, user_id: UUID, role: str) -> None:
    by = await authority.of(call)
    if user_id != by.user_id and role not in decide_members.gives(by.role):
        short = authority.short_of(call, "above")
        raise short or conflict(N_("Só um dono mexe nos avisos de donos e gerentes."))


async def _told(call: Call, way_id: UUID) -> Way:
    row = next((row for row in await _ways(call) if row["id"] == way_id), None)
    if row is None:  # gone meanwhile
        raise missing(NO_WAY)
    return _way(call, row)


def _wishes(asked: _Wishes, known: dict[str, Any]) -> dict[str, Any]:
    """All that is wanted of a way: what is asked for over what is known."""
    told = asked.model_dump(exclude_unset=True)
    wishes = {**known, **{name: told[name] for name in WISHES if name in told}}
    for name in ("name", "least", "scope", "handed"):
        if wishes[name] is None:
            raise wrong(name, N_("Este campo não pode ficar vazio."))
    if told.get("quiet"):
        same = told["quiet"]["since"] == told["quiet"]["until"]
        wishes["quiet"] = None if same else f"{told['quiet']['since']}-{told['quiet']['until']}"
    if told.get("digest_at"):
        wishes["digest_at"] = time.fromisoformat(told["digest_at"])
    if wishes["kinds"] is not None and set(wishes["kinds"]) >= playbooks.RULES.keys():
        wishes["kinds"] = None
    return wishes


async def add_way(call: Call) -> Answer:
    """Where it leads is kept sealed: no answer tells it."""
    asked = call.body(NewWay)
    async with call.tx() as tx:
        found = await members.standing(tx, asked.person_id)
    if found is None:
        raise wrong("person_id", N_("Esta pessoa não trabalha nesta loja."))
    await _looks_after(call, asked.person_id, found[0])
    fields = ("token", "chat") if asked.format == "telegram" else () if asked.format == "email" else ("url",)
    for name in ("url", "token", "chat"):
        if name not in fields and getattr(asked, name) is not None:
            raise wrong(name, N_("Este formato não tem este campo."))
    new = {"name": asked.name, "least": "urgent", "scope": "mine", "kinds": None, "handed": True, "quiet": None,
           "digest_at": None}  # fmt: skip
    with _obeyed(call):
        made = await flow.add(
            call.rt, call.seller, asked.person_id, asked.format, asked.name,
            {name: getattr(asked, name) or "" for name in fields}, _wishes(asked, new),
        )  # fmt: skip
    return await _told(call, made)


async def change_way(call: Call) -> Answer:
    """It counts from the next alert on."""
    asked, known = call.body(WayChange), await _mine(call)
    wishes = _wishes(asked, {name: known[name] for name in WISHES})
    with _obeyed(call):
        if asked.model_fields_set & set(WISHES):
            await flow.change(call.rt, call.seller, known["user_id"], known["id"], wishes)
        if asked.enabled is not None:
            await flow.turn(call.rt, call.seller, known["user_id"], known["id"], on=asked.enabled)
    return await _told(call, known["id"])


async def test_way(call: Call) -> Answer:
    """Sent right now, once in ten seconds; a way that works is on again."""
    known = await _mine(call)
    with _obeyed(call):
        problem = await flow.test(call.rt, call.seller, known["user_id"], known["id"])
    return Tried(sent=problem is None, problem=None if problem is None else why(call.language, problem))


async def remove_way(call: Call) -> Answer:
    """Its address and its log go with it."""
    known = await _mine(call)
    with _obeyed(call):
        await flow.drop(call.rt, call.seller, known["user_id"], known["id"])
    return None


OPERATIONS = (
    Operation(
        name="list_notice_ways", method="GET", path="/notice-ways", handler=list_ways, scope=READ, tag=TAG,
        summary=N_("Por onde cada pessoa é avisada de alertas"), answer=Ways,
    ),
    Operation(
        name="add_notice_way", method="POST", path="/notice-ways", handler=add_way, scope=WRITE, tag=TAG,
        summary=N_("Ligar um caminho de avisos"), answer=Way, body=NewWay, status=201, once="together",
        description=N_("Os avisos de donos e gerentes, só com owners:write, ou se a chave é da própria pessoa."),
        example={"person_id": "0199f7a2-6c1e-7a30-9a51-6b2f6f0f7a10", "format": "slack", "name": "Canal da operação",
                 "url": "https://hooks.slack.com/services/T0/B0/x", "least": "warning", "scope": "all"},
    ),
    Operation(
        name="change_notice_way", method="PATCH", path="/notice-ways/{id}", handler=change_way, scope=WRITE, tag=TAG,
        summary=N_("Mudar, desligar ou ligar um caminho de avisos"), answer=Way, named=ById, body=WayChange,
        whole=True, example={"least": "warning", "quiet": {"since": "21:00", "until": "07:00"}},
    ),
    Operation(
        name="test_notice_way", method="POST", path="/notice-ways/{id}/test", handler=test_way, scope=WRITE, tag=TAG,
        summary=N_("Mandar um teste por um caminho"), answer=Tried, named=ById,
    ),
    Operation(
        name="remove_notice_way", method="DELETE", path="/notice-ways/{id}", handler=remove_way, scope=WRITE, tag=TAG,
        summary=N_("Remover um caminho de avisos"), answer=None, named=ById, status=204,
    ),
)  # fmt: skip
