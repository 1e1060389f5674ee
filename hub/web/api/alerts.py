"""Alerts: what needs a person, whose it is, by when, and what was done."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from hub import playbooks
from hub.store import processes as store
from hub.web import alert_words, markdown, words
from hub.web.api.operations import Answer, ByInstant, Call, Operation, missing
from hub.web.api.problems import wrong
from hub.web.api.shapes import Asked, AskedInstant, ById, Instant, Paging, Told
from hub.web.i18n import N_
from jobs import processes

TAG = "alerts"
NO_ALERT = N_("Não há este alerta.")
Note = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=processes.LONGEST_NOTE, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*\S"
    ),
]
ByUrgency = tuple[int, datetime | Literal["infinity"], UUID]


class Alert(Told):
    """An alert. `text` is its sentence in the language asked for; `params` are what it stands on."""

    id: UUID
    kind: str
    title: str
    text: str
    severity: str
    subject: str
    params: dict[str, Any]
    owner: str | None
    owner_id: UUID | None
    owner_role: str
    due_at: Instant | None
    opened_at: Instant
    taken_at: Instant | None
    snoozed_until: Instant | None
    escalated_at: Instant | None
    resolved_at: Instant | None
    note: str | None
    times: int


class Happened(Told):
    """One line of its history."""

    at: Instant
    kind: str
    who: str | None
    text: str


class AlertStep(Told):
    """A step of the alert's process. `key` stays the same while its words do."""

    key: str
    words: str
    done: bool


class History(Told):
    """An alert with the steps of its process and what happened to it, newest first."""

    alert: Alert
    steps: list[AlertStep]
    history: list[Happened]


class AlertQuery(Paging):
    """Which open ones."""

    show: Literal["now", "untaken", "late", "snoozed"] = "now"
    kind: str | None = Field(default=None, max_length=60, pattern=r"^[a-z_]+$")


class OverQuery(Paging):
    """Which of those that are over."""

    kind: str | None = Field(default=None, max_length=60, pattern=r"^[a-z_]+$")


class AlertNote(Asked):
    """What to remember."""

    note: Note


class Owner(Asked):
    """Whose it is from now on: a person's, or a role's. Give one of the two."""

    person_id: UUID | None = Field(default=None, description=N_("Operador, gerente ou dono desta loja."))
    role: Literal["operator", "manager", "owner"] | None = None


class Ticked(Asked):
    """A step, and whether it is done."""

    key: str = Field(min_length=1, max_length=40, pattern=r"^[0-9a-f]+$")
    done: bool = True


class Later(Asked):
    """Not before that instant; null: back at once."""

    until: AskedInstant | None


def _alert(call: Call, row: Any) -> Alert:
    told = {
        **row,
        "title": playbooks.title(row["kind"], call.language.tag),
        "text": words.alert_sentence(call.language, row),
    }
    return Alert.model_validate(told)


async def list_alerts(call: Call) -> Answer:
    """The most urgent and soonest due first."""
    asked, after = call.query(AlertQuery), call.after
    place = after and (after[0], after[1] if isinstance(after[1], str) else after[1].isoformat(), after[2])
    async with call.tx() as tx:
        rows = await store.every(tx, asked.show, call.now, kind=asked.kind, after=place, limit=call.limit)
    told = [{**row, "due": row["due_at"] or "infinity"} for row in rows]
    return call.part(told, lambda row: _alert(call, row), "urgency", "due", "id")


async def list_over(call: Call) -> Answer:
    """Newest first."""
    async with call.tx() as tx:
        rows = await store.done(tx, kind=call.query(OverQuery).kind, after=call.after, limit=call.limit)
    return call.part(rows, lambda row: _alert(call, row), "resolved_at", "id")


async def get_alert(call: Call) -> Answer:
    """With what happened each time that it came."""
    return await _whole(call)


async def _whole(call: Call) -> History:
    async with call.tx() as tx:
        row = await store.one(tx, call.path(ById).id)
        if row is None:
            raise missing(NO_ALERT)
        events = await store.history(tx, row["kind"], row["subject"])
        own = (await store.playbooks_of(tx)).get(row["kind"])
    return History(
        alert=_alert(call, row),
        steps=[
            AlertStep(key=piece.key, words=piece.words, done=piece.key in row["ticked"])
            for piece in markdown.pieces(alert_words.playbook(call.language, row["kind"], own)["body"])
            if piece.key is not None
        ],
        history=[
            Happened(at=each["at"], kind=each["kind"], who=each["who"], text=alert_words.event(call.language, each))
            for each in events
        ],
    )


async def add_note(call: Call) -> Answer:
    """It stands in the alert's history."""
    await processes.note(call.rt, call.seller, call.path(ById).id, None, call.body(AlertNote).note)
    return await _whole(call)


async def close(call: Call) -> Answer:
    """Should its cause come again, it is opened again with this history."""
    await processes.close(call.rt, call.seller, call.path(ById).id, None, call.body(AlertNote).note)
    return await _whole(call)


async def reopen(call: Call) -> Answer:
    """It is not over."""
    await processes.reopen(call.rt, call.seller, call.path(ById).id, None)
    return await _whole(call)


async def assign(call: Call) -> Answer:
    """Who is away is stood in for at once."""
    asked = call.body(Owner)
    if (asked.person_id is None) == (asked.role is None):
        raise wrong("person_id", N_("Dê person_id ou role."))
    try:
        await processes.assign(call.rt, call.seller, call.path(ById).id, None, asked.person_id or str(asked.role))
    except processes.ProcessRefused as refusal:
        if refusal.kind == "person":
            raise wrong("person_id", alert_words.REFUSAL["person"]) from None
        raise
    return await _whole(call)


async def tick(call: Call) -> Answer:
    """It stands in the alert's history with the words that it had."""
    asked, known = call.body(Ticked), await _whole(call)
    step = next((each for each in known.steps if each.key == asked.key), None)
    if step is None:
        raise wrong("key", N_("O processo deste alerta não tem este passo: veja steps."))
    await processes.tick(call.rt, call.seller, known.alert.id, None, step.key, step.words, on=asked.done)
    return await _whole(call)


async def snooze(call: Call) -> Answer:
    """Until then it is not escalated; getting worse wakes it."""
    await processes.snooze(call.rt, call.seller, call.path(ById).id, None, call.body(Later).until)
    return await _whole(call)


OPERATIONS = (
    Operation(
        name="list_alerts", method="GET", path="/alerts", handler=list_alerts, scope="alerts:read", tag=TAG,
        summary=N_("Os alertas abertos"), answer=Alert, query=AlertQuery, place=ByUrgency,
    ),
    Operation(
        name="list_closed_alerts", method="GET", path="/alerts/closed", handler=list_over, scope="alerts:read",
        tag=TAG, summary=N_("Os alertas encerrados"), answer=Alert, query=OverQuery, place=ByInstant,
    ),
    Operation(
        name="get_alert", method="GET", path="/alerts/{id}", handler=get_alert, scope="alerts:read", tag=TAG,
        summary=N_("Um alerta e a sua história"), answer=History, named=ById,
    ),
    Operation(
        name="note_alert", method="POST", path="/alerts/{id}/notes", handler=add_note, scope="alerts:write", tag=TAG,
        summary=N_("Anota algo"), answer=History, named=ById, body=AlertNote, once="together",
        example={"note": "O fornecedor confirmou para sexta."},
    ),
    Operation(
        name="close_alert", method="POST", path="/alerts/{id}/close", handler=close, scope="alerts:write", tag=TAG,
        summary=N_("Encerra, dizendo por quê"), answer=History, named=ById, body=AlertNote, once="together",
        example={"note": "Trocamos o item com o comprador."},
    ),
    Operation(
        name="assign_alert", method="PUT", path="/alerts/{id}/owner", handler=assign, scope="alerts:write", tag=TAG,
        summary=N_("Passa a uma pessoa ou a um papel"), answer=History, named=ById, body=Owner,
        example={"role": "manager"},
    ),
    Operation(
        name="tick_alert", method="PUT", path="/alerts/{id}/steps", handler=tick, scope="alerts:write", tag=TAG,
        summary=N_("Marca um passo como feito, ou desmarca"), answer=History, named=ById, body=Ticked,
        example={"key": "5f0c1d2e3a4b5c6d", "done": True},
    ),
    Operation(
        name="reopen_alert", method="POST", path="/alerts/{id}/reopen", handler=reopen, scope="alerts:write",
        tag=TAG, summary=N_("Reabre"), answer=History, named=ById, once="together",
    ),
    Operation(
        name="snooze_alert", method="POST", path="/alerts/{id}/snooze", handler=snooze, scope="alerts:write",
        tag=TAG, summary=N_("Adia"), answer=History, named=ById, body=Later, once="together",
        example={"until": "2026-12-01T11:00:00Z"},
    ),
)  # fmt: skip
