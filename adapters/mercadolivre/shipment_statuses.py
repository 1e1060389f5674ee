"""What GET /shipment_statuses lists: where goods and parcel stand for each status and substatus. Pure."""

from hub.model import Fulfilment, Hold
from hub.model import TrackingStatus as Track

HERE, SENT, BACK = Fulfilment.NONE, Fulfilment.DISPATCHED, Fulfilment.RETURNED
# status: (where the goods stand, where the parcel stands) unless the substatus says more; null: not told.
STAGES: dict[str, tuple[Fulfilment | None, Track]] = {
    **dict.fromkeys(
        ("to_be_agreed", "pending", "handling", "ready_to_ship", "stale_ready_to_ship"), (HERE, Track.LABEL_CREATED)
    ),
    **dict.fromkeys(("shipped", "stale_shipped"), (SENT, Track.IN_TRANSIT)),
    "delivered": (Fulfilment.DELIVERED, Track.DELIVERED),
    "not_delivered": (SENT, Track.EXCEPTION),  # left, and did not arrive
    "cancelled": (HERE, Track.CANCELLED),
    **dict.fromkeys(("not_verified", "closed"), (None, Track.UNKNOWN)),
    "error": (None, Track.EXCEPTION),
    **dict.fromkeys(("active", "not_specified"), (HERE, Track.UNKNOWN)),
}
# Where a substatus says more than its status; the others that are listed (label_expired, printed ...) do not.
_SUBSTATUSES = {
    ("ready_to_ship", SENT, Track.ACCEPTED): "picked_up dropped_off in_hub",  # out of the seller's hands
    ("ready_to_ship", SENT, Track.IN_TRANSIT): "in_transit",
    ("ready_to_ship", HERE, Track.EXCEPTION): "rejected_in_hub",
    ("shipped", SENT, Track.OUT_FOR_DELIVERY): "out_for_delivery at_the_door soon_deliver",
    ("shipped", SENT, Track.AWAITING_PICKUP): "waiting_for_withdrawal",
    ("shipped", SENT, Track.FAILED_ATTEMPT): "receiver_absent refused_delivery bad_address delivery_failed "
    "dangerous_area unauthorized_receiver",  # the last is told by ME1 sellers and missing from /shipment_statuses
    ("shipped", SENT, Track.CUSTOMS): "at_customs delayed_at_customs awaiting_tax_documentation "
    "missing_sender_payment missing_sender_documentation missing_recipient_documentation missing_recipient_payment",
    ("shipped", SENT, Track.EXCEPTION): "contact_with_carrier_required reclaimed not_localized need_review "
    "operator_intervention retained delivery_blocked",
    ("not_delivered", SENT, Track.RETURNING): "returning_to_sender returned_to_hub returned_to_agency "
    "picked_up_for_return returning_to_warehouse returning_to_hub soon_to_be_returned recovered delayed_to_hub",
    ("not_delivered", BACK, Track.RETURNED): "returned returned_to_warehouse",
    ("not_delivered", SENT, Track.LOST): "lost stolen confiscated not_recovered",
    ("not_delivered", SENT, Track.DAMAGED): "destroyed damaged rejected_damaged",
    ("not_delivered", SENT, Track.FAILED_ATTEMPT): "receiver_absent refused_delivery not_localized",
    ("not_delivered", SENT, Track.AWAITING_PICKUP): "waiting_for_withdrawal",
    ("not_delivered", SENT, Track.CUSTOMS): "awaiting_tax_documentation detained_at_customs import_tax_rejected "
    "import_tax_expired",
    ("cancelled", SENT, Track.CANCELLED): "shipped_outside_me shipped_outside_me_trusted inferred_shipped",
}
SUBSTAGES = {  # by status/substatus
    f"{status}/{word}": (fulfilment, track)
    for (status, fulfilment, track), words in _SUBSTATUSES.items()
    for word in words.split()
}
HOLDS = {
    "pending/fraudulent": Hold.FRAUD,
    "cancelled/fraudulent": Hold.FRAUD,
    "pending/under_review": Hold.FROZEN,
    "handling/invoice_pending": Hold.INVOICE_PENDING,  # the NF-e is still missing
    "ready_to_ship/invoice_pending": Hold.INVOICE_PENDING,
}
