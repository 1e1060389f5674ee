"""What GET /shipment_statuses lists: where goods and parcel stand for each status and substatus. Pure."""

from hub.model import Fulfilment, Hold
from hub.model import TrackingStatus as Track

# status: (where the goods stand, where the parcel stands) unless the substatus says more; null: not told.
STAGES: dict[str, tuple[Fulfilment | None, Track]] = {
    **dict.fromkeys(
        ("to_be_agreed", "pending", "handling", "ready_to_ship", "stale_ready_to_ship"),
        (Fulfilment.NONE, Track.LABEL_CREATED),
    ),
    **dict.fromkeys(("shipped", "stale_shipped"), (Fulfilment.DISPATCHED, Track.IN_TRANSIT)),
    "delivered": (Fulfilment.DELIVERED, Track.DELIVERED),
    "not_delivered": (Fulfilment.DISPATCHED, Track.EXCEPTION),  # left, and did not arrive
    "cancelled": (Fulfilment.NONE, Track.CANCELLED),
    **dict.fromkeys(("not_verified", "closed"), (None, Track.UNKNOWN)),
    "error": (None, Track.EXCEPTION),
    **dict.fromkeys(("active", "not_specified"), (Fulfilment.NONE, Track.UNKNOWN)),
}
# Where a substatus says more than its status; the others that are listed (label_expired, printed ...) do not.
_SUBSTATUSES = {
    (
        "ready_to_ship",
        Fulfilment.DISPATCHED,
        Track.ACCEPTED,
    ): "picked_up dropped_off in_hub",  # out of the seller's hands
    ("ready_to_ship", Fulfilment.DISPATCHED, Track.IN_TRANSIT): "in_transit",
    ("ready_to_ship", Fulfilment.NONE, Track.EXCEPTION): "rejected_in_hub",
    ("shipped", Fulfilment.DISPATCHED, Track.OUT_FOR_DELIVERY): "out_for_delivery at_the_door soon_deliver",
    ("shipped", Fulfilment.DISPATCHED, Track.AWAITING_PICKUP): "waiting_for_withdrawal",
    ("shipped", Fulfilment.DISPATCHED, Track.FAILED_ATTEMPT): "receiver_absent refused_delivery bad_address "
    "delivery_failed dangerous_area "
    "unauthorized_receiver",  # told by ME1 sellers and missing from /shipment_statuses
    ("shipped", Fulfilment.DISPATCHED, Track.CUSTOMS): "at_customs delayed_at_customs awaiting_tax_documentation "
    "missing_sender_payment missing_sender_documentation missing_recipient_documentation missing_recipient_payment",
    ("shipped", Fulfilment.DISPATCHED, Track.EXCEPTION): "contact_with_carrier_required reclaimed not_localized "
    "need_review operator_intervention retained delivery_blocked",
    ("not_delivered", Fulfilment.DISPATCHED, Track.RETURNING): "returning_to_sender returned_to_hub returned_to_agency "
    "picked_up_for_return returning_to_warehouse returning_to_hub soon_to_be_returned recovered delayed_to_hub",
    ("not_delivered", Fulfilment.RETURNED, Track.RETURNED): "returned returned_to_warehouse",
    ("not_delivered", Fulfilment.DISPATCHED, Track.LOST): "lost stolen confiscated not_recovered",
    ("not_delivered", Fulfilment.DISPATCHED, Track.DAMAGED): "destroyed damaged rejected_damaged",
    ("not_delivered", Fulfilment.DISPATCHED, Track.FAILED_ATTEMPT): "receiver_absent refused_delivery not_localized",
    ("not_delivered", Fulfilment.DISPATCHED, Track.AWAITING_PICKUP): "waiting_for_withdrawal",
    ("not_delivered", Fulfilment.DISPATCHED, Track.CUSTOMS): "awaiting_tax_documentation detained_at_customs "
    "import_tax_rejected import_tax_expired",
    (
        "cancelled",
        Fulfilment.DISPATCHED,
        Track.CANCELLED,
    ): "shipped_outside_me shipped_outside_me_trusted inferred_shipped",
}
SUBSTAGES = {
    (status, word): (fulfilment, track)
    for (status, fulfilment, track), words in _SUBSTATUSES.items()
    for word in words.split()
}
HOLDS = {
    ("pending", "fraudulent"): Hold.FRAUD,
    ("cancelled", "fraudulent"): Hold.FRAUD,
    ("pending", "under_review"): Hold.FROZEN,
    ("handling", "invoice_pending"): Hold.INVOICE_PENDING,  # the NF-e is still missing
    ("ready_to_ship", "invoice_pending"): Hold.INVOICE_PENDING,
}
