"""A seller's people: invited, let in, given another role, removed."""

from datetime import UTC
from email.message import EmailMessage
from email.utils import format_datetime, formataddr, make_msgid
from typing import Any
from uuid import UUID

from hub import invite_link
from hub import members as decide
from hub.context import acting_as, working_for
from hub.smtp import InDoubt, Unreachable, line
from hub.smtp import Refused as MailRefused
from hub.store import Tx, api_keys, members, people, stock
from jobs.connect import Refused
from jobs.runtime import Runtime, log


class MemberRefused(Refused):
    """A refusal that pages tell in their reader's language: `kind`, and what its sentence names."""

    def __init__(self, kind: str, sentence: str, **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params


SENTENCES = {
    "above": "only an owner changes owners and managers",
    "beyond": "only an owner gives that role",
    "last_owner": "the last owner cannot go: make somebody else an owner first",
}


def _refuse(kind: str | None) -> None:
    if kind is not None:
        raise MemberRefused(kind, SENTENCES[kind])


async def invite(rt: Runtime, seller_id: UUID, by: UUID | None, role_of_by: str, email: str, role: str) -> UUID:
    """Keep an invitation to this address. `by` null: a key of nobody's. MemberRefused: beyond, member, many."""
    if role not in decide.gives(role_of_by):
        _refuse("beyond")
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        await members.lock(tx)
        if await members.is_member(tx, email):
            raise MemberRefused("member", f"{email} works here already", email=email)
        if len(await members.invitations(tx)) >= decide.MOST_INVITATIONS:
            raise MemberRefused("many", "too many invitations are out", most=decide.MOST_INVITATIONS)
        made = await members.invite(tx, email, role, by, now, now + decide.INVITATION_LASTS)
        await stock.audit(tx, "user_invite", str(made), email=email.lower(), role=role)
    return made


async def withdraw(rt: Runtime, seller_id: UUID, role_of_by: str, invitation_id: UUID) -> str:
    """Take an invitation back; answers its address. Raises MemberRefused: above, gone."""
    async with rt.db.seller(seller_id) as tx:
        row = await members.withdraw(tx, invitation_id, rt.now())
        if row is None:
            raise MemberRefused("gone", "no such invitation is out")
        if row["role"] not in decide.gives(role_of_by):
            _refuse("above")
        await stock.audit(tx, "user_uninvite", str(invitation_id), email=row["email"], role=row["role"])
    email: str = row["email"]
    return email


async def invited(rt: Runtime, token: str) -> tuple[UUID, dict[str, Any]] | None:
    """The seller and the invitation of a token that may be accepted still; None for any other."""
    named = invite_link.read(rt.vault, token)
    if named is None:
        return None
    async with rt.db.seller(named[0]) as tx:
        row = await members.invitation(tx, named[1], rt.now())
    return (named[0], row) if row else None


async def accept(rt: Runtime, seller_id: UUID, invitation_id: UUID, user_id: UUID) -> None:
    """Let somebody in who has shown who they are. Raises MemberRefused (gone) for one withdrawn or used meanwhile."""
    with working_for(seller_id), acting_as(f"web:{user_id}"):
        async with rt.db.seller(seller_id) as tx:
            row = await members.invitation(tx, invitation_id, rt.now())
            if row is None:
                raise MemberRefused("gone", "the invitation is not in force any more")
            await members.accept(tx, invitation_id, user_id, row["role"], rt.now())
            await stock.audit(tx, "user_join", str(user_id), email=row["email"], role=row["role"])


async def change(
    rt: Runtime, seller_id: UUID, role_of_by: str, user_id: UUID, becomes: str | None, *, revoke_keys: bool = False
) -> dict[str, Any]:
    """Give a member another role, or remove them (None), and the keys that they made with them where it is asked.

    Answers who it was, and how many keys of theirs were `revoked` and go on (`keys`). Raises MemberRefused.
    """
    async with rt.db.seller(seller_id) as tx:
        await members.lock(tx)
        row = await members.role_of(tx, user_id)
        if row is None:
            raise MemberRefused("nobody", "nobody of that id works here")
        if becomes != row["role"]:
            _refuse(decide.refusal(role_of_by, row["role"], becomes, await members.owners(tx)))
            await _change(tx, rt, user_id, row, becomes)
        made = await api_keys.in_force_of(tx, user_id)
        for key in made if revoke_keys else ():
            await api_keys.revoke(tx, key["id"])
            await stock.audit(tx, "apikey_revoke", str(key["id"]), name=key["name"], email=row["email"])
    revoked = len(made) if revoke_keys else 0
    return {**row, "revoked": revoked, "keys": len(made) - revoked}


async def _change(tx: Tx, rt: Runtime, user_id: UUID, row: dict[str, Any], becomes: str | None) -> None:
    if becomes is None:
        await members.remove(tx, user_id)
        await stock.audit(tx, "user_remove", str(user_id), email=row["email"], role=row["role"])
    else:
        await members.set_role(tx, user_id, becomes)
        await stock.audit(tx, "user_role", str(user_id), email=row["email"], before=row["role"], role=becomes)
    await members.withdraw_of(tx, user_id, decide.gives(becomes or ""), rt.now())


async def may_get(rt: Runtime, seller_id: UUID, user_id: UUID, role: str) -> None:
    """MemberRefused (last_owner) where nobody would be left who owns the seller."""
    async with rt.db.seller(seller_id) as tx:
        await members.lock(tx)
        await _still_owned(tx, user_id, role)


async def put(rt: Runtime, seller_id: UUID, user_id: UUID, role: str) -> None:
    """Let somebody work for a seller in this role, whatever they had: an administrator's word. MemberRefused."""
    async with rt.db.seller(seller_id) as tx:
        await members.lock(tx)
        await _still_owned(tx, user_id, role)
        await people.member_put(tx, user_id, role)
        await members.withdraw_of(tx, user_id, decide.gives(role), rt.now())
        await stock.audit(tx, "user_add", str(user_id), role=role)


async def _still_owned(tx: Tx, user_id: UUID, role: str) -> None:
    row = await members.role_of(tx, user_id)
    if row is not None:
        _refuse(decide.refusal("owner", row["role"], role, await members.owners(tx)))


async def mail(rt: Runtime, seller_id: UUID, invitation_id: UUID, store: str, to: str, words: tuple[str, str]) -> bool:
    """Send an invitation's letter (subject, text), where the installation has a mail server; whether it left."""
    server = rt.policy.smtp
    if server is None:
        return False
    made = EmailMessage()
    made["From"] = formataddr((" ".join(store.split()), server.address))
    made["To"], made["Subject"] = to, words[0]
    made["Date"] = format_datetime(rt.now().astimezone(UTC))
    made["Message-ID"] = make_msgid(domain=server.address.partition("@")[2])
    made["Auto-Submitted"] = "auto-generated"
    made.set_content(words[1])
    try:
        async with line(server) as open_line:
            await open_line.send(made, to, _nothing)
    except (MailRefused, Unreachable, InDoubt) as problem:
        log.warning("invitation not mailed", reason=str(problem))
        return False
    async with rt.db.seller(seller_id) as tx:
        await members.mailed(tx, invitation_id, rt.now())
    return True


async def _nothing() -> None:
    """Nothing is to be noted before the letter leaves: the address can be copied whatever becomes of it."""
