"""For whom a key acts where a person's role decides: never further than its maker reaches at that moment."""

from dataclasses import dataclass
from uuid import UUID

from hub import members as decide
from hub.store import members
from hub.web.api.operations import Call, conflict
from hub.web.api.problems import Refused
from hub.web.i18n import N_

OWNERS = "owners:write"
FORBIDDEN = 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The role that a key acts in, and its maker (None: it was made at the terminal)."""

    role: str
    user_id: UUID | None
    name: str | None


async def of(call: Call) -> Authority:
    """What the key may decide about people now: what its maker may, and what a manager may where OWNERS is not given.

    Refused (409) once its maker looks after people no more.
    """
    role, name = "owner", None
    if call.key.made_by is not None:
        async with call.tx() as tx:
            found = await members.standing(tx, call.key.made_by)
        role, name = found or ("", None)
    if not decide.gives(role):
        raise conflict(N_("Quem fez esta chave já não cuida de pessoas nesta loja: faça outra."))
    if role == "owner" and not call.may(OWNERS):
        role = "manager"
    return Authority(role=role, user_id=call.key.made_by, name=name)


def short_of(call: Call, kind: str) -> Refused | None:
    """The refusal of a change that only owners make, where the key lacks the scope for it; else None."""
    if kind in ("above", "beyond") and not call.may(OWNERS):
        return Refused(FORBIDDEN, None, {"scope": OWNERS})
    return None
