"""The audit log: who did what for the seller, and when."""

from typing import Any
from uuid import UUID

from pydantic import Field

from hub.store import audit_log
from hub.web.api.operations import Answer, Call, Operation
from hub.web.api.operations import ById as ByRow
from hub.web.api.problems import wrong
from hub.web.api.shapes import AskedInstant, Code, Instant, Paging, Told
from hub.web.i18n import N_


class AuditEntry(Told):
    """Something that somebody did. `params` are what it was done with, by the names of the flow that did it."""

    id: UUID
    at: Instant
    actor: str | None = Field(
        description=N_("web: e o id da pessoa, api: e o id da chave, cli: e o usuário do terminal, ou flow (o hub).")
    )
    name: str | None = Field(description=N_("Da pessoa."))
    action: str
    subject: str
    params: dict[str, Any]


class LogQuery(Paging):
    """Which entries."""

    actor: Code | None = Field(default=None, description=N_("Como em actor: web:ID, api:ID, cli:NOME ou flow."))
    person: UUID | None = Field(default=None, description=N_("O id de uma pessoa, no lugar de actor."))
    action: Code | None = None
    since: AskedInstant | None = None


async def list_entries(call: Call) -> Answer:
    """Newest first."""
    asked = call.query(LogQuery)
    if asked.actor is not None and asked.person is not None:
        raise wrong("person", N_("Dê actor ou person, não os dois."))
    actor = f"web:{asked.person}" if asked.person else asked.actor
    async with call.tx() as tx:
        rows = await audit_log.listed(
            tx, actor=actor, action=asked.action, since=asked.since, after=call.after[0] if call.after else None,
            limit=call.limit,
        )  # fmt: skip
    return call.part(rows, lambda row: AuditEntry.model_validate({**row, "params": row["params"] or {}}), "id")


OPERATIONS = (
    Operation(
        name="list_audit_log", method="GET", path="/audit-log", handler=list_entries, scope="audit:read",
        tag="settings", summary=N_("O registro: quem fez o quê"), answer=AuditEntry, query=LogQuery, place=ByRow,
    ),
)  # fmt: skip
