"""Who may do what for a seller, and who may change that. Pure."""

from collections.abc import Mapping
from datetime import timedelta

ROLES = ("owner", "manager", "operator", "warehouse", "viewer")
INVITATION_LASTS = timedelta(days=7)
MOST_INVITATIONS = 50

# role -> what it reaches. "member": what everybody of the seller may do. The warehouse counts, moves, prints and
# ships; it sees neither money nor credentials, which a reader ("viewer") does see: neither of the two holds the other.
REACH: Mapping[str, frozenset[str]] = {
    "viewer": frozenset({"member", "viewer"}),
    "warehouse": frozenset({"member", "warehouse"}),
    "operator": frozenset({"member", "viewer", "warehouse", "operator"}),
    "manager": frozenset({"member", "viewer", "warehouse", "operator", "manager"}),
    "owner": frozenset({"member", "viewer", "warehouse", "operator", "manager", "owner"}),
}
GIVES: Mapping[str, tuple[str, ...]] = {"owner": ROLES, "manager": ("operator", "warehouse", "viewer")}


def reaches(role: str, least: str) -> bool:
    """Whether a role may do what asks for `least`; a role or a demand that nobody knows reaches nothing."""
    return least in REACH.get(role, frozenset())


def gives(role: str) -> tuple[str, ...]:
    """The roles that somebody of this role may give, and whose people they may change or remove."""
    return GIVES.get(role, ())


def refusal(by: str, now: str, becomes: str | None, owners: int) -> str | None:
    """Why somebody of role `by` may not make one of role `now` another (None: remove them); None: they may.

    `owners`: people who are owner and may sign in. Answers `above`, `beyond` or `last_owner`.
    """
    if now not in gives(by):
        return "above"
    if becomes is not None and becomes not in gives(by):
        return "beyond"
    if now == "owner" and becomes != "owner" and owners <= 1:
        return "last_owner"
    return None
