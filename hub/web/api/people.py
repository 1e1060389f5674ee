"""People: who works for the seller and in which role, and who is invited to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from hub.store import deadlines, members, people
from hub.web import invitations
from hub.web.api import authority
from hub.web.api.operations import Answer, Call, Operation, missing
from hub.web.api.shapes import Asked, ById, Instant, Told
from hub.web.i18n import N_
from jobs import members as flow
from jobs.members import MemberRefused

TAG = "settings"
READ, WRITE = "people:read", "people:write"
Role = Literal["owner", "manager", "operator", "warehouse", "viewer"]
Email = Annotated[
    str,
    StringConstraints(
        max_length=315, pattern=r"^[^@\s,;<>\"\x00-\x1f\x7f]{1,64}@[^@\s,;<>\"\x00-\x1f\x7f]{1,250}$", to_lower=True
    ),
]
NOBODY, NO_INVITATION = N_("Esta pessoa não trabalha nesta loja."), N_("Não há este convite aberto.")
OWNERS = N_("Donos e gerentes, só com owners:write. Uma chave nunca vai além de quem a fez.")

REMOVAL = N_(
    "As chaves da API que a pessoa fez continuam, com os escopos que têm, a não ser com revoke_keys. Donos e gerentes, "
    "só com owners:write."
)


class Person(Told):
    """Somebody who works for the seller."""

    id: UUID = Field(validation_alias="user_id")
    name: str
    email: str
    role: Role
    since: Instant = Field(validation_alias="created_at")
    active: bool = Field(description=N_("false: não entra em loja nenhuma deste hub."))
    keys: int = Field(description=N_("Chaves da API em vigor que a pessoa fez."))


class People(Told):
    """All of them, by e-mail."""

    data: list[Person]


class Removal(Asked):
    """What goes with the person."""

    revoke_keys: bool = Field(default=False, description=N_("Revogar também as chaves da API que a pessoa fez."))


class Removed(Told):
    """What became of the keys that the person made."""

    revoked_keys: int
    keys: int = Field(description=N_("As que continuam em vigor, com os escopos que têm, até alguém as revogar."))


class RoleChange(Asked):
    """The role from now on."""

    role: Role


class Invitation(Told):
    """An invitation that is out. Its address is told once, when it is made."""

    id: UUID
    email: str
    role: Role
    invited_by: str | None = Field(validation_alias="by_name", description=N_("null: um programa."))
    created_at: Instant
    expires_at: Instant
    mailed_at: Instant | None = Field(description=N_("Quando saiu por e-mail; null: não saiu."))


class Invitations(Told):
    """Those that are out, the newest first."""

    data: list[Invitation]


class NewInvitation(Asked):
    """Whom to invite."""

    email: Email
    role: Role
    mail: bool = Field(default=False, description=N_("Mandar também por e-mail, se este hub manda."))


class Invited(Told):
    """A new invitation with its address, which no other answer tells."""

    invitation: Invitation
    address: str = Field(description=N_("Quem abre e se identifica entra na loja: mande só à pessoa."))


@contextmanager
def _within(call: Call) -> Iterator[None]:
    """A change that asks for an owner is refused by its scope where the key has it not."""
    try:
        yield
    except MemberRefused as refusal:
        short = authority.short_of(call, refusal.kind)
        if short is None:
            raise
        raise short from None


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────


async def list_people(call: Call) -> Answer:
    """Those switched off too."""
    async with call.tx() as tx:
        return People(data=[Person.model_validate(row) for row in await people.members(tx)])


async def _theirs(call: Call) -> UUID:
    """The person that the path names; nobody changes people meanwhile."""
    user_id = call.path(ById).id
    async with call.tx() as tx:
        await members.lock(tx)
        if await members.role_of(tx, user_id) is None:
            raise missing(NOBODY)
    return user_id


async def change_role(call: Call) -> Answer:
    """It counts from their next click on; the last owner stays one."""
    user_id, asked = await _theirs(call), call.body(RoleChange)
    by = await authority.of(call)
    with _within(call):
        await flow.change(call.rt, call.seller, by.role, user_id, asked.role)
    async with call.tx() as tx:
        known = {row["user_id"]: row for row in await people.members(tx)}
    if user_id not in known:  # gone meanwhile
        raise missing(NOBODY)
    return Person.model_validate(known[user_id])


async def remove_person(call: Call) -> Answer:
    """What they did stays in the log under their name."""
    user_id, revoke = await _theirs(call), call.query(Removal).revoke_keys
    by = await authority.of(call)
    with _within(call):
        done = await flow.change(call.rt, call.seller, by.role, user_id, None, revoke_keys=revoke)
    return Removed(revoked_keys=done["revoked"], keys=done["keys"])


# ── invitations ─────────────────────────────────────────────────────────────────────────────────────────────


async def list_invitations(call: Call) -> Answer:
    """Those that have run out are told too, until they are withdrawn."""
    return Invitations(data=[Invitation.model_validate(row) for row in await _out(call)])


async def _out(call: Call) -> list[dict[str, Any]]:
    async with call.tx() as tx:
        return await members.invitations(tx)


async def invite(call: Call) -> Answer:
    """In the place of one that is out to the same address. The address to open is told this once."""
    asked, by = call.body(NewInvitation), await authority.of(call)
    with _within(call):
        made = await flow.invite(call.rt, call.seller, by.user_id, by.role, asked.email, asked.role)
    address = invitations.address(call.rt, call.seller, made, str(call.request.url.origin()))
    if asked.mail:
        async with call.tx() as tx:
            seller = (await deadlines.shipping(tx))["name"]
        letter = invitations.Letter(
            by=by.name or seller, seller=seller, to=asked.email, role=asked.role, address=address
        )
        await invitations.mail(call.rt, call.language, call.seller, made, letter)
    row = next((row for row in await _out(call) if row["id"] == made), None)
    if row is None:  # withdrawn meanwhile
        raise missing(NO_INVITATION)
    return Invited(invitation=Invitation.model_validate(row), address=address)


async def withdraw(call: Call) -> Answer:
    """Its address lets nobody in any more."""
    if call.path(ById).id not in {row["id"] for row in await _out(call)}:
        raise missing(NO_INVITATION)
    by = await authority.of(call)
    with _within(call):
        await flow.withdraw(call.rt, call.seller, by.role, call.path(ById).id)
    return None


OPERATIONS = (
    Operation(
        name="list_people", method="GET", path="/people", handler=list_people, scope=READ, tag=TAG,
        summary=N_("Quem trabalha na loja, e em que papel"), answer=People,
    ),
    Operation(
        name="change_role", method="PATCH", path="/people/{id}", handler=change_role, scope=WRITE, tag=TAG,
        summary=N_("Mudar o papel de uma pessoa"), answer=Person, named=ById, body=RoleChange,
        whole=True, description=OWNERS, example={"role": "operator"},
    ),
    Operation(
        name="remove_person", method="DELETE", path="/people/{id}", handler=remove_person, scope=WRITE, tag=TAG,
        summary=N_("Tirar o acesso de uma pessoa a esta loja"), answer=Removed, named=ById, query=Removal,
        whole=True, description=REMOVAL,
    ),
    Operation(
        name="list_invitations", method="GET", path="/invitations", handler=list_invitations, scope=READ, tag=TAG,
        summary=N_("Convites abertos"), answer=Invitations,
    ),
    Operation(
        name="invite", method="PUT", path="/invitations", handler=invite, scope=WRITE, tag=TAG,
        summary=N_("Convidar alguém"), answer=Invited, body=NewInvitation,
        description=N_(
            "No lugar do convite aberto para o mesmo e-mail: repetir faz outro, e o anterior deixa de valer. O "
            "endereço é dito só aqui. Donos e gerentes, só com owners:write."
        ),
        example={"email": "bia@loja.example", "role": "operator"},
    ),
    Operation(
        name="withdraw_invitation", method="DELETE", path="/invitations/{id}", handler=withdraw, scope=WRITE, tag=TAG,
        summary=N_("Retirar um convite"), answer=None, named=ById, status=204,
    ),
)  # fmt: skip
