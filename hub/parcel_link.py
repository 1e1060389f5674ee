"""The address of a parcel's page for its buyer: ids with a signature that nobody else can make."""

import base64
import binascii
from uuid import UUID

from hub.secrets import Vault, same

PURPOSE = "parcel-link"
SIGNED = 16  # bytes of the signature that the address carries: 2^128 guesses


def token_of(vault: Vault, seller_id: UUID, shipment_id: UUID) -> str:
    """64 URL-safe characters, the same for the same parcel as long as the first key stays."""
    body = seller_id.bytes + shipment_id.bytes
    return base64.urlsafe_b64encode(body + vault.signatures(PURPOSE, body)[0][:SIGNED]).decode()


def read(vault: Vault, token: str) -> tuple[UUID, UUID] | None:
    """(seller, shipment) of a token that one of our keys signed; None for any other."""
    try:
        told = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    body, signature = told[:32], told[32:]
    known = [each[:SIGNED] for each in vault.signatures(PURPOSE, body)]
    if not any(same(signature, each) for each in known):
        return None
    return UUID(bytes=body[:16]), UUID(bytes=body[16:])


def address(public_url: str | None, vault: Vault, seller_id: UUID, shipment_id: UUID) -> str | None:
    """The whole address; None where the installation has none that buyers could reach."""
    return f"{public_url}/r/{token_of(vault, seller_id, shipment_id)}" if public_url else None
