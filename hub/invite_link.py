"""The address by which somebody joins a seller: ids with a signature that nobody else can make."""

import base64
import binascii
from uuid import UUID

from hub.secrets import Vault, same

PURPOSE = "invitation"


def token_of(vault: Vault, seller_id: UUID, invitation_id: UUID) -> str:
    """86 URL-safe characters, the same for the same invitation as long as the first key stays."""
    body = seller_id.bytes + invitation_id.bytes
    return base64.urlsafe_b64encode(body + vault.signatures(PURPOSE, body)[0]).decode().rstrip("=")


def read(vault: Vault, token: str) -> tuple[UUID, UUID] | None:
    """(seller, invitation) of a token that one of our keys signed; None for any other."""
    try:
        told = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, signature = told[:32], told[32:]
    if not any(same(signature, each) for each in vault.signatures(PURPOSE, body)):
        return None
    return UUID(bytes=body[:16]), UUID(bytes=body[16:])
