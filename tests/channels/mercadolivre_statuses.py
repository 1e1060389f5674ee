"""Where a parcel stands for each status and substatus that GET /shipment_statuses lists, one by one."""

from hub.model import TrackingStatus as Track

CATALOGUE: dict[tuple[str, Track], str] = {
    ("pending", Track.LABEL_CREATED): "cost_exceeded under_review reviewed fraudulent waiting_for_payment "
        "shipment_paid creating_route manufacturing buffered creating_shipping_order",
    ("handling", Track.LABEL_CREATED): "regenerating waiting_for_label_generation invoice_pending manufacturing "
        "waiting_for_return_confirmation return_confirmed agency_unavailable",
    ("ready_to_ship", Track.LABEL_CREATED): "ready_to_print invoice_pending printed in_pickup_list "
        "ready_for_pkl_creation ready_for_pickup ready_for_dropoff stale delayed claimed_me "
        "waiting_for_last_mile_authorization in_warehouse ready_to_pack measures_ready "
        "waiting_for_carrier_authorization authorized_by_carrier in_packing_list in_plp on_hold packed "
        "on_route_to_pickup picking_up shipping_order_initialized looking_for_driver",
    ("ready_to_ship", Track.ACCEPTED): "picked_up dropped_off in_hub",  # out of the seller's hands
    ("ready_to_ship", Track.IN_TRANSIT): "in_transit",
    ("ready_to_ship", Track.EXCEPTION): "rejected_in_hub",
    ("shipped", Track.IN_TRANSIT): "delayed forwarded_to_third changed_address negative_feedback stale claimed_me "
        "waiting_for_confirmation buyer_edt_limit_stale buyer_rescheduled failover picked_up dropped_off left_customs "
        "import_taxes_paid",
    ("shipped", Track.OUT_FOR_DELIVERY): "out_for_delivery at_the_door soon_deliver",
    ("shipped", Track.AWAITING_PICKUP): "waiting_for_withdrawal",
    ("shipped", Track.FAILED_ATTEMPT): "receiver_absent refused_delivery bad_address delivery_failed dangerous_area "
        "unauthorized_receiver",  # the last is told by ME1 sellers and missing from /shipment_statuses
    ("shipped", Track.CUSTOMS): "at_customs delayed_at_customs awaiting_tax_documentation missing_sender_payment "
        "missing_sender_documentation missing_recipient_documentation missing_recipient_payment",
    ("shipped", Track.EXCEPTION): "contact_with_carrier_required reclaimed not_localized need_review "
        "operator_intervention retained delivery_blocked",
    ("delivered", Track.DELIVERED): "damaged fulfilled_feedback no_action_taken double_refund inferred",
    ("not_delivered", Track.RETURNING): "returning_to_sender returned_to_hub returned_to_agency picked_up_for_return "
        "returning_to_warehouse returning_to_hub soon_to_be_returned recovered delayed_to_hub",
    ("not_delivered", Track.RETURNED): "returned returned_to_warehouse",
    ("not_delivered", Track.LOST): "lost stolen confiscated not_recovered",
    ("not_delivered", Track.DAMAGED): "destroyed damaged rejected_damaged",
    ("not_delivered", Track.FAILED_ATTEMPT): "receiver_absent refused_delivery not_localized",
    ("not_delivered", Track.AWAITING_PICKUP): "waiting_for_withdrawal",
    ("not_delivered", Track.CUSTOMS): "awaiting_tax_documentation detained_at_customs import_tax_rejected "
        "import_tax_expired",
    ("not_delivered", Track.EXCEPTION): "to_review negative_feedback double_refund cancelled_measurement_exceeded "
        "claimed_me return_failed in_storage pending_recovery agency_unavailable refunded_by_delay delayed "
        "shipment_stopped retained detained_at_origin unclaimed rider_not_found",
    ("cancelled", Track.CANCELLED): "recovered label_expired cancelled_manually fraudulent return_expired "
        "return_session_expired unfulfillable closed_by_user pack_splitted shipped_outside_me "
        "shipped_outside_me_trusted inferred_shipped service_unavailable dismissed time_expired "
        "pack_partially_cancelled rejected_manually closed_store out_of_range",
}  # fmt: skip
TRACKING = {(status, word): track for (status, track), words in CATALOGUE.items() for word in words.split()}
