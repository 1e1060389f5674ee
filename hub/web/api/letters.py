"""Dead letters: what stands still until a person acts, what a replay would do, and the replay."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from hub.store import letters as store
from hub.web.api.operations import Answer, Call, Operation
from hub.web.api.operations import ById as LastId
from hub.web.api.shapes import Asked, Instant, Line, Paging, Told
from hub.web.i18n import N_
from jobs import replay

TAG = "sync"
Kind = Literal["inbox", "slot", "shipment", "tracking", "purchase"]


class Letter(Told):
    """Something that stands still. `said` is what was answered, in the other side's words."""

    id: UUID
    account_id: UUID
    account: str
    channel: str
    account_status: str
    what: str | None
    ref: str | None
    code: str | None
    said: str | None
    reason: str | None
    since: Instant | None


class LetterQuery(Paging):
    """Which of them."""

    kind: Kind = Field(default="inbox", description=N_("inbox, slot, shipment, tracking ou purchase."))
    account_id: UUID | None = None
    reason: Line | None = None


class Replay(Asked):
    """What to put back to work; every part that is given narrows."""

    kind: Literal["inbox", "slot", "shipment", "tracking"]
    account_id: UUID | None = None
    reason: Line | None = None
    ids: list[UUID] | None = Field(default=None, min_length=1, max_length=500)


class ParkedReason(Told):
    """How many of an account stand still for the same reason."""

    account_id: UUID
    account: str
    account_status: str
    reason: str | None
    count: int


class Preview(Told):
    """What a replay would do. `standing`: those whose account is not talked to, so that they wait on."""

    count: int
    taken: int
    standing: int
    by_reason: list[ParkedReason]


class LettersReplayed(Told):
    """How many were put back to work, and how many of them are left for another go."""

    count: int
    left: int


def _scope(asked: Replay) -> store.Scope:
    return store.Scope(kind=asked.kind, account_id=asked.account_id, reason=asked.reason, ids=asked.ids)


async def list_letters(call: Call) -> Answer:
    """Newest first."""
    asked, after = call.query(LetterQuery), call.after
    scope = store.Scope(kind=asked.kind, account_id=asked.account_id, reason=asked.reason)
    async with call.tx() as tx:
        rows = await store.listed(tx, scope, after and after[0], call.limit)
    return call.part(rows, Letter.model_validate, "id")


async def preview(call: Call) -> Answer:
    """Nothing is changed."""
    return Preview.model_validate(await replay.preview(call.rt, call.seller, _scope(call.body(Replay))))


async def put_back(call: Call) -> Answer:
    """Up to 5,000 at one go."""
    return LettersReplayed.model_validate(await replay.replay(call.rt, call.seller, _scope(call.body(Replay))))


OPERATIONS = (
    Operation(
        name="list_letters", method="GET", path="/letters", handler=list_letters, scope="sync:read", tag=TAG,
        summary=N_("O que está parado até alguém agir"), answer=Letter, query=LetterQuery, place=LastId,
    ),
    Operation(
        name="preview_replay", method="POST", path="/letters/replay/preview", handler=preview, scope="sync:write",
        tag=TAG, summary=N_("O que uma repetição faria"), answer=Preview, body=Replay, example={"kind": "inbox"},
    ),
    Operation(
        name="replay_letters", method="POST", path="/letters/replay", handler=put_back, scope="sync:write", tag=TAG,
        summary=N_("Põe de volta ao trabalho"), answer=LettersReplayed, body=Replay, once="together",
        example={"kind": "inbox", "reason": "transient 503"},
    ),
)  # fmt: skip
