"""Processes: what to do about each kind of alert, and who is away meanwhile."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from hub import playbooks
from hub.store import processes as store
from hub.web import alert_words
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, AskedInstant, ById, Instant, Told
from hub.web.i18n import N_
from jobs import processes as flow
from jobs.processes import ProcessRefused

TAG = "alerts"
READ, WRITE = "processes:read", "processes:write"
LATELY = timedelta(days=30)
Role = Literal["operator", "manager", "owner"]
Title = Annotated[
    str,
    StringConstraints(min_length=1, max_length=playbooks.LONGEST_TITLE, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x20\x7f]"),
]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=playbooks.LONGEST_BODY, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$"),
]
NO_ABSENCE, ONE_OF_TWO = N_("Não há esta ausência, ou já acabou."), N_("Dê a pessoa ou o papel, um dos dois.")
# A flow's field -> ours.
FIELDS = {"owner": "owner_id", "escalate": "escalate_id", "due": "due_minutes", "who": "person_id",
          "stand_in": "stand_in_id", "until": "until_at", "title": "title", "body": "body"}  # fmt: skip


class ByKind(Asked):
    """A kind of alert."""

    kind: str = Field(max_length=60, pattern=r"^[a-z0-9_]+$")


class PlaybookRow(Told):
    """What is done about a kind of alert, without its steps. `due_minutes` null: when the alert itself says."""

    kind: str
    name: str = Field(description=N_("Como o hub chama este tipo."))
    title: str
    own: bool = Field(description=N_("false: o processo que vem com o hub."))
    owner_id: UUID | None = Field(description=N_("De quem é; null: de quem tem owner_role."))
    owner_role: Role
    due_minutes: int | None
    escalate_id: UUID | None
    escalate_role: Role | None = Field(description=N_("Para quem vai fora do prazo; null: para ninguém."))
    updated_at: Instant | None
    updated_by: str | None
    open: int = Field(description=N_("Alertas abertos deste tipo."))


class Playbook(PlaybookRow):
    """With its steps: Markdown, each item of its lists is a step."""

    body: str


class Playbooks(Told):
    """Every kind, by name."""

    data: list[PlaybookRow]


class NewPlaybook(Asked):
    """The shop's own way. Open alerts show the steps at once; owner and due time count for the next ones."""

    title: Title
    body: Text = Field(description=N_("Markdown; cada item das listas é um passo."))
    owner_id: UUID | None = Field(default=None, description=N_("Uma pessoa, ou owner_role."))
    owner_role: Role | None = None
    due_minutes: int | None = Field(default=None, ge=1, le=playbooks.MOST_MINUTES)
    escalate_id: UUID | None = Field(default=None, description=N_("Uma pessoa, ou escalate_role; nenhum: não escala."))
    escalate_role: Role | None = None


class Absence(Told):
    """Somebody is away, or will be; what they have open goes to who stands in."""

    id: UUID
    person_id: UUID = Field(validation_alias="user_id")
    person: str = Field(validation_alias="name")
    from_at: Instant
    until_at: Instant
    stand_in_id: UUID = Field(validation_alias="stand_in")
    stand_in: str = Field(validation_alias="stand_in_name")


class Absences(Told):
    """Those that are not over for more than 30 days, soonest first."""

    data: list[Absence]


class NewAbsence(Asked):
    """Somebody will be away."""

    person_id: UUID
    stand_in_id: UUID = Field(description=N_("Outra pessoa, que cuida de alertas nesta loja."))
    from_at: AskedInstant
    until_at: AskedInstant


@contextmanager
def _obeyed() -> Iterator[None]:
    """A flow's refusal of a field as a problem that names ours."""
    try:
        yield
    except ProcessRefused as refusal:
        field = FIELDS.get(str(refusal.params.get("field")))
        if field is None or refusal.kind not in alert_words.REFUSAL:
            raise
        told = {name: value for name, value in refusal.params.items() if name != "field"}
        raise wrong(field, alert_words.REFUSAL[refusal.kind], **told) from None


# ── playbooks ───────────────────────────────────────────────────────────────────────────────────────────────


def _row(call: Call, kind: str, own: dict[str, Any] | None, count: int) -> dict[str, Any]:
    name = playbooks.title(kind, call.language.tag)
    return {**alert_words.playbook(call.language, kind, own), "kind": kind, "name": name, "open": count}


async def list_playbooks(call: Call) -> Answer:
    """The hub's own where the shop has none, in the language asked for."""
    async with call.tx() as tx:
        own, open_ = await store.playbooks_of(tx), await store.open_by_kind(tx)
    rows = [_row(call, kind, own.get(kind), open_.get(kind, 0)) for kind in sorted({*playbooks.RULES, *own, *open_})]
    rows.sort(key=lambda row: str(row["name"]).casefold())
    return Playbooks(data=[PlaybookRow.model_validate(row) for row in rows])


async def _playbook(call: Call) -> Playbook:
    kind = call.path(ByKind).kind
    async with call.tx() as tx:
        own, open_ = await store.playbooks_of(tx), await store.open_by_kind(tx)
    return Playbook.model_validate(_row(call, kind, own.get(kind), open_.get(kind, 0)))


async def _known(call: Call) -> str:
    kind = call.path(ByKind).kind
    async with call.tx() as tx:
        await flow.playbook_of(tx, kind)
    return kind


async def get_playbook(call: Call) -> Answer:
    """The hub's own where the shop has none."""
    await _known(call)
    return await _playbook(call)


async def put_playbook(call: Call) -> Answer:
    """The shop's own way from now on."""
    kind, asked = await _known(call), call.body(NewPlaybook)
    if (asked.owner_id is None) == (asked.owner_role is None):
        raise wrong("owner_id", ONE_OF_TWO)
    if asked.escalate_id is not None and asked.escalate_role is not None:
        raise wrong("escalate_id", ONE_OF_TWO)
    with _obeyed():
        await flow.set_playbook(
            call.rt, call.seller, kind, None, title=asked.title, body=asked.body.replace("\r\n", "\n"),
            owner=asked.owner_id or str(asked.owner_role), due_minutes=asked.due_minutes,
            escalate=asked.escalate_id or asked.escalate_role,
        )  # fmt: skip
    return await _playbook(call)


async def reset_playbook(call: Call) -> Answer:
    """What holds from now on is answered."""
    await flow.reset_playbook(call.rt, call.seller, await _known(call))
    return await _playbook(call)


# ── absences ────────────────────────────────────────────────────────────────────────────────────────────────


async def _absences(call: Call) -> list[Absence]:
    async with call.tx() as tx:
        return [Absence.model_validate(row) for row in await store.absences(tx, call.now - LATELY)]


async def list_absences(call: Call) -> Answer:
    """At most 200."""
    return Absences(data=await _absences(call))


async def add_absence(call: Call) -> Answer:
    """What is open with them, and what comes for them meanwhile, goes to who stands in."""
    asked = call.body(NewAbsence)
    with _obeyed():
        made = await flow.add_absence(
            call.rt, call.seller, asked.person_id, asked.from_at, asked.until_at, asked.stand_in_id, None
        )
    found = next((each for each in await _absences(call) if each.id == made), None)
    if found is None:  # ended meanwhile
        raise missing(NO_ABSENCE)
    return found


async def end_absence(call: Call) -> Answer:
    """They are back, or will not go."""
    await flow.end_absence(call.rt, call.seller, call.path(ById).id, None, others=True)
    return None


OPERATIONS = (
    Operation(
        name="list_playbooks", method="GET", path="/playbooks", handler=list_playbooks, scope=READ, tag=TAG,
        summary=N_("Os processos, por tipo de alerta"), answer=Playbooks,
    ),
    Operation(
        name="get_playbook", method="GET", path="/playbooks/{kind}", handler=get_playbook, scope=READ, tag=TAG,
        summary=N_("O processo de um tipo de alerta, com os passos"), answer=Playbook, named=ByKind,
    ),
    Operation(
        name="put_playbook", method="PUT", path="/playbooks/{kind}", handler=put_playbook, scope=WRITE, tag=TAG,
        summary=N_("Guardar o processo da loja"), answer=Playbook, named=ByKind, body=NewPlaybook,
        example={"title": "Sem estoque", "body": "1. Ligar para o fornecedor.\n2. Avisar o comprador.",
                 "owner_role": "operator", "due_minutes": 60, "escalate_role": "manager"},
    ),
    Operation(
        name="reset_playbook", method="DELETE", path="/playbooks/{kind}", handler=reset_playbook, scope=WRITE, tag=TAG,
        summary=N_("Voltar ao processo que vem com o hub"), answer=Playbook, named=ByKind,
    ),
    Operation(
        name="list_absences", method="GET", path="/absences", handler=list_absences, scope=READ, tag=TAG,
        summary=N_("Quem está ou estará fora"), answer=Absences,
    ),
    Operation(
        name="add_absence", method="POST", path="/absences", handler=add_absence, scope=WRITE, tag=TAG,
        summary=N_("Registrar uma ausência"), answer=Absence, body=NewAbsence, status=201, once="together",
        example={"person_id": "0199f7a2-6c1e-7a30-9a51-6b2f6f0f7a10",
                 "stand_in_id": "0199f7a2-6c1e-7a30-9a51-6b2f6f0f7a11", "from_at": "2026-12-01T03:00:00Z",
                 "until_at": "2026-12-11T03:00:00Z"},
    ),
    Operation(
        name="end_absence", method="DELETE", path="/absences/{id}", handler=end_absence, scope=WRITE, tag=TAG,
        summary=N_("Encerrar uma ausência"), answer=None, named=ById, status=204,
    ),
)  # fmt: skip
