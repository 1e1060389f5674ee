"""What somebody is invited by: an address that nobody else can make, and a letter with it."""

from dataclasses import dataclass
from uuid import UUID

from hub import invite_link
from hub import members as decide
from hub.web import settings_words, words
from hub.web.i18n import Language
from jobs import members as flow
from jobs.runtime import Runtime


def address(rt: Runtime, seller_id: UUID, invitation_id: UUID, origin: str) -> str:
    """Where an invitation is accepted: at the installation's address, else at the one that was asked (`origin`)."""
    base = (rt.policy.public_url or origin).rstrip("/")
    return f"{base}/convite/{invite_link.token_of(rt.vault, seller_id, invitation_id)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Who invites whom (an e-mail address), to which shop, in which role, at which address."""

    by: str
    seller: str
    to: str
    role: str
    address: str


async def mail(rt: Runtime, language: Language, seller_id: UUID, invitation_id: UUID, letter: Letter) -> bool:
    """Send it, where the installation sends mail and has an address that holds for everybody; whether it left."""
    if not rt.policy.public_url:
        return False
    say = language.gettext
    text = say(
        settings_words.LETTER, by=letter.by, seller=letter.seller, role=say(words.ROLE[letter.role]),
        until=language.moment(rt.now() + decide.INVITATION_LASTS), address=letter.address,
    )  # fmt: skip
    subject = " ".join(say(settings_words.SUBJECT, seller=letter.seller).split())
    return await flow.mail(rt, seller_id, invitation_id, letter.seller, letter.to, (subject, text))
