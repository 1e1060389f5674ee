"""Every guard that DESIGN § 5 names: where it stands, how it is taken out, and the test that then fails."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """`file`, `function`: where it stands. `out`: the text to replace, and by what; `tests`: which then fail."""

    name: str
    race: str
    says: str
    file: str
    function: str
    out: tuple[str, str]
    tests: tuple[str, ...]


RACES = "tests/flows/test_races.py::"
BUFFERS = "tests/flows/test_buffers.py::"
PUSHING = "tests/flows/test_pushing.py::"
PHYSICAL = "tests/flows/test_physical.py::"
MARKET = "tests/flows/test_store_and_marketplace.py::"
OWN, FIRST, DOUBT = "The channel's own sale", "Which first", "A write in doubt"
ORDER, ECHO, DEDUPE = "Out of order, duplicate, cancel before create", "Echo", "Dedupe must not lose a bell"
TOKEN, ZERO, REDIS = "Two workers, one single-use refresh token", "A meaningless zero", "Redis down"
NOBODY, STATE, ONE, WHERE = (
    "Webhook to nobody", "Push state, not messages", "One bad row", "What is written to at all",
)  # fmt: skip
NUMBERS, LOCKS, DEADLINES = "Physical-stock channels", "One lock order", "Deadlines"
DUE = "tests/flows/test_deadlines.py::"
FREIGHT, LABELS = "A label is bought once", "tests/flows/test_freight_buying.py::"
UNBUYABLE = "tests/flows/test_freight_unbuyable.py::"
BUYER, PAGE = "A parcel's page for its buyer", "tests/web/test_parcel_page.py::"
MAIL, POST = "Buyers' e-mail", "tests/flows/test_mails.py::"
TRACKING, TRACK = "Where a parcel is", "tests/flows/test_tracking.py::"
OUT, EVENT = "Events out", "tests/flows/test_events.py::"


def _guard(name: str, race: str, says: str, place: str, out: tuple[str, str], *tests: str) -> Guard:
    file, _, function = place.partition(":")
    return Guard(name=name, race=race, says=says, file=file, function=function, out=out, tests=tests)


GUARDS = (
    # ── the channel's own sale ─────────────────────────────────────────────────────────────────────────────────
    _guard(
        "own-sale-lowers-expected", OWN, "its own sale lowers what a slot is expected to show: no write, no look",
        "hub/store/slots.py:_own_sale",
        ("if verdict is Reckoning.APPLIES and units > 0", "if units < 0"),
        RACES + "test_a_channels_own_sale_needs_no_write_to_it",
    ),
    _guard(
        "undecidable-is-read-back", OWN, "a sale within the window of our write is read back, never guessed",
        "hub/settlement.py:reckon",
        ("if answered_at is None or answered_at < sent_at or since <= answered_at + skew:", "if False:"),
        "tests/unit/test_settlement.py::test_the_verdict_is_certain_only_outside_the_window",
    ),
    _guard(
        "overwritten-sale", OWN, "a sale before our last write was overwritten by it: it lowers nothing",
        "hub/settlement.py:reckon",
        ("    if until < sent_at - skew:\n        return Reckoning.OVERWRITTEN\n", ""),
        "tests/unit/test_settlement.py::test_a_sale_beside_a_write",
    ),
    _guard(
        "sale-during-a-write", OWN, "a sale heard of while a write is under way has the slot read back afterwards",
        "hub/store/slots.py:accepted",
        ("doubt_until = CASE WHEN doubt_until <> %(noted)s THEN", "doubt_until = CASE WHEN false THEN"),
        RACES + "test_a_sale_heard_of_before_the_answer_has_the_slot_read_back_and_not_written_again",
    ),
    _guard(
        "newest-orders-first", OWN, "the account's newest orders are fetched right before absolute writes",
        "jobs/push_stock.py:_read_orders",
        ("    await poll.newest(push.rt, push.account, push.api)\n", ""),
        RACES + "test_a_sale_nobody_told_us_of_is_seen_before_an_absolute_write",
    ),
    _guard(
        "inbox-drained-first", OWN, "and its order notices are worked off before the number is read",
        "jobs/push_stock.py:_read_orders",
        ("    await ingest.drain(push.rt, push.account, time.monotonic() + 5, ingest.ORDER_TOPICS)\n", ""),
        RACES + "test_a_sale_nobody_told_us_of_is_seen_before_an_absolute_write",
    ),
    _guard(
        "others-ingest-first", OWN, "what another worker is ingesting of that account is waited for",
        "jobs/push_stock.py:_read_orders",
        ("    await _others_done(push.rt, push.account)\n", ""),
        PUSHING + "test_what_another_worker_is_ingesting_is_waited_for_before_a_write",
    ),
    _guard(
        "zero-needs-no-drain", OWN, "a write of 0 needs no look at the orders: it cannot put a unit back",
        "jobs/push_stock.py:_needs_drain",
        ("return bool(slot.desired) and not sink", "return not sink"),
        PUSHING + "test_a_zero_goes_out_without_a_look_at_the_newest_orders",
    ),
    _guard(
        "undrained-starts-over", OWN, "a 0 that grew after the claim goes back: nobody looked at the orders for it",
        "jobs/push_stock.py:_push",
        ("if not drained and _needs_drain(sink, slot)]", "if False]"),
        PUSHING + "test_a_zero_that_grew_meanwhile_looks_at_the_newest_orders_first",
    ),
    _guard(
        "compare-and-set", OWN, "where the channel compares and sets, the slot is looked at first, with its version",
        "jobs/push_stock.py:_push",
        ("if sink.compare_and_set(slot.write()) and slot not in doubtful]", "if False]"),
        MARKET + "test_stock_by_location_is_looked_at_first_so_that_each_change_is_one_write",
    ),
    _guard(
        "another-number-than-reckoned", OWN,
        "a look that shows another number than reckoned has the newest orders read before that number is overwritten",
        "jobs/push_stock.py:_push",
        ("slot.expected != reckoned.get(slot.id)", "False"),
        "tests/flows/test_shopify.py::test_a_sale_that_nobody_told_is_not_sold_twice",
    ),
    _guard(
        "no-raise-before-fulfiller", OWN, "a slot is not raised while a sale of it waits to learn who fulfils it",
        "hub/store/slots.py:claim",
        ("AND NOT (desired > coalesce(expected, 0) AND EXISTS (", "AND NOT (false AND EXISTS ("),
        MARKET + "test_a_slot_is_not_raised_while_a_sale_of_it_waits_for_its_fulfiller",
    ),
    # ── push state, which first, how often ─────────────────────────────────────────────────────────────────────
    _guard(
        "number-of-that-moment", STATE, "the number is read when the request's turn has come, not when it was planned",
        "jobs/push_stock.py:_begin",
        ("row for row in mine if ways[row.id] is Late.GO}", "row for row in planned if ways.get(row.id) is Late.GO}"),
        PUSHING + "test_the_number_that_leaves_is_the_one_of_that_moment",
    ),
    _guard(
        "rests-if-shown", STATE, "a number that came back while it waited is not written at all",
        "hub/pushing.py:late",
        ("    if desired is None or desired == expected:\n        return Late.REST\n", ""),
        PUSHING + "test_a_number_that_came_back_while_it_waited_is_not_written_at_all",
    ),
    _guard(
        "rule-leaves-together", STATE, "what a rule changes part by part leaves once all is written: the brake sees it",
        "jobs/buffers.py:_apply",
        ("not_before=now + UNFINISHED", "not_before=None"),
        BUFFERS + "test_what_a_rule_changes_part_by_part_leaves_together_and_the_brake_sees_all",
    ),
    _guard(
        "rule-begun-again", STATE, "a rule that broke off half-way is due again",
        "jobs/buffers.py:set_rule",
        ("buffers.put(tx, rule, now + UNFINISHED, now)", "buffers.put(tx, rule, None, now)"),
        BUFFERS + "test_a_rule_that_broke_off_half_way_is_begun_again",
    ),
    _guard(
        "one-write-a-second", STATE, "the first change goes out at once, later ones at most once a second per slot",
        "hub/store/stock.py:desire",
        ("greatest(now(), s.last_pushed_at + interval '1 second', s.doubt_until)", "greatest(now(), s.doubt_until)"),
        PUSHING + "test_a_thousand_changes_in_ten_seconds_are_at_most_twelve_writes_and_the_last_is_right",
    ),
    _guard(
        "decreases-first", FIRST, "decreases leave before increases, then the lowest availability",
        "hub/store/slots.py:by_urgency",
        ("key=lambda d: ((d.desired or 0) >= (d.expected or 0), d.desired or 0)", "key=lambda d: d.id"),
        PUSHING + "test_decreases_leave_first_then_the_lowest_availability",
    ),
    _guard(
        "claims-by-urgency", FIRST, "a claim takes the most urgent of many",
        "hub/store/slots.py:claim",
        ("ORDER BY (desired >= coalesce(expected, 0)), desired, due_at", "ORDER BY id"),
        PUSHING + "test_a_claim_takes_what_is_most_urgent",
    ),
    _guard(
        "rounds", FIRST, "what waits long for a scarce limit is claimed again: what sells out overtakes it",
        "jobs/push_stock.py:_begin",
        ("if time.monotonic() > push.until and not part:", "if False:"),
        PUSHING + "test_what_sells_out_overtakes_what_still_waits_for_a_scarce_limit",
    ),
    # ── a write in doubt ───────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "recorded-under-lease", DOUBT, "a result is recorded only under the lease that the write left under",
        "hub/store/slots.py:accepted",
        ("WHERE id = %(id)s AND lease_token = %(token)s RETURNING id", "WHERE id = %(id)s RETURNING id"),
        RACES + "test_what_a_drain_learnt_after_it_lost_its_lease_is_not_recorded",
    ),
    _guard(
        "parked-under-lease", DOUBT, "and so is a refusal",
        "hub/store/slots.py:park",
        ('        WHERE id = %s AND lease_token = %s"""\n    return await tx.run(sql, [code,',
         '        WHERE id = %s AND %s::uuid IS NOT NULL"""\n    return await tx.run(sql, [code,'),
        RACES + "test_a_refusal_learnt_after_the_lease_was_lost_parks_nothing",
    ),
    _guard(
        "read-back", DOUBT, "a slot in doubt is read back before anything is sent to it",
        "jobs/push_stock.py:_push",
        ("    doubtful = [slot for slot in claimed if slot.doubt_until is not None or slot.pending]",
         "    doubtful: list[Due] = []"),
        RACES + "test_a_write_in_doubt_is_read_back_and_not_sent_again",
    ),
    _guard(
        "waited-out", DOUBT, "not before the write has landed if it ever does",
        "jobs/push_stock.py:_give_back",
        ('        landed = push.rt.now() + (TIMED_OUT if problem.code == "timeout" else DEADLINE)',
         "        landed = push.rt.now()"),
        RACES + "test_a_write_that_lands_late_is_waited_out_before_it_is_read_back",
    ),
    _guard(
        "deadline-within-lease", DOUBT, "no write lands after the lease that it left under",
        "jobs/push_stock.py:drain",
        ("LANDED = timedelta(seconds=30)", "LANDED = timedelta(seconds=20)"),
        RACES + "test_no_write_lands_after_the_lease_that_it_left_under",
    ),
    _guard(
        "stood-still", DOUBT, "a worker that stood still after reading the number does not send it",
        "jobs/push_stock.py:_send",
        ("if push.rt.now() - began > STOOD_STILL:", "if False:"),
        PUSHING + "test_a_worker_that_stood_still_does_not_send_what_it_read_before",
    ),
    _guard(
        "pending-is-not-pushed", DOUBT, "a write that is finished later is read back by a set time, not sent again",
        "hub/store/slots.py:pend",
        ("await tx.run(sql, [ask, until, until, until, slot_id, token])",
         "await tx.run(sql, [ask, None, until - timedelta(seconds=30), None, slot_id, token])"),
        PUSHING + "test_a_write_that_a_channel_finishes_later_is_read_back_and_not_sent_again",
    ),
    _guard(
        "dead-leases-freed", DOUBT, "the sweep frees a killed worker's leases at once",
        "hub/store/due.py:free_dead",
        ("    count = 0\n    for table in", "    count = 0\n    for table in () and"),
        "tests/flows/test_sweep.py::test_a_dead_workers_leases_are_freed_at_once",
    ),
    _guard(
        "no-call-in-a-transaction", DOUBT, "no HTTP inside a transaction: what is noted is committed before it leaves",
        "hub/http.py:call",
        ('        refuse_in_transaction(f"{request.method} to {self.channel}")\n', ""),
        "tests/http/test_call.py::test_nothing_is_called_inside_a_transaction",
    ),
    _guard(
        "no-second-send", DOUBT, "a write that may still be under way is never sent again within its call",
        "hub/http.py:_is_worth_repeating",
        ("late = error.in_doubt and error.status in LATE", "late = False"),
        "tests/http/test_call.py::test_a_write_without_an_answer_is_in_doubt_and_not_repeated",
    ),
    # ── orders ─────────────────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "greater-version-wins", ORDER, "of two tellings of a part the greater version wins, whichever comes last",
        "hub/orders.py:_wins",
        ("if version is None or (path in kept and version <= kept[path]):", "if version is None:"),
        "tests/unit/test_orders.py::test_any_order_of_tellings_with_duplicates_ends_in_the_same_order",
    ),
    _guard(
        "tombstone", ORDER, "an order that the channel does not have (any more) is a cancelled one, known or not",
        "jobs/ingest.py:_order",
        ("            told.append(_Told(rows[-1].seq, None, _gone(rt, ref)))", "            pass"),
        RACES + "test_an_order_never_known_and_gone_is_a_tombstone",
    ),
    _guard(
        "echo", ECHO, "our own write told back is not even looked at",
        "jobs/ingest.py:_listings",
        ("if source is None or not told or await _is_echo(rt, account, source, same)", "if source is None or not told"),
        PUSHING + "test_our_own_write_told_back_causes_no_other_and_no_look",
    ),
    _guard(
        "twins-of-unclaimed-only", DEDUPE, "a notice joins only a row that nobody has claimed",
        "hub/store/migrations/versions/0001_core.sql:inbox_unclaimed",
        ("WHERE state = 'due' AND lease_token IS NULL;", "WHERE state = 'due';"),
        "tests/intake/test_door.py::test_a_twin_joins_only_what_nobody_has_claimed",
    ),
    _guard(
        "told-before-the-claim", DEDUPE, "a fetch answers for what was claimed before it left: more may have joined",
        "jobs/ingest.py:_order",
        ("max(row.claimed for row in thin)", "max(row.seq for row in thin)"),
        RACES + "test_a_change_that_joins_a_waiting_notice_is_fetched_though_the_order_was_read_meanwhile",
    ),
    _guard(
        "same-instant", DEDUPE, "what was sent to us of an instant that more was told of is fetched afresh",
        "jobs/ingest.py:_write_order",
        ("unsure |= each.sent", "unsure |= False"),
        RACES + "test_what_was_sent_within_one_second_and_comes_late_is_asked_for_afresh",
    ),
    # ── tokens, zeros, Redis, nobody ───────────────────────────────────────────────────────────────────────────
    _guard(
        "renewal-in-single-flight", TOKEN, "one worker renews a token, through a lease in the database",
        "hub/store/accounts.py:lease_token",
        ("token_generation = %s AND (lease_until IS NULL OR lease_until <= %s)",
         "token_generation >= least(%s, 0) AND %s::timestamptz IS NOT NULL"),
        "tests/flows/test_accounts.py::test_two_processes_renew_a_single_use_token_once_in_all",
    ),
    _guard(
        "mass-zero-brake", ZERO, "a run that would zero a large share of an account stops and asks",
        "jobs/push_stock.py:_brake",
        ('if account.settings.get("zero_brake") == "off" or not zeros:', "if True:"),
        "tests/flows/test_zeros.py::test_a_count_that_would_empty_the_shelves_stops_and_asks",
    ),
    _guard(
        "sold-out-is-no-brake", ZERO, "zeros from sales always go out",
        "hub/store/held.py:brake",
        ('UNBRAKED = ("sale", "allowed")', 'UNBRAKED = ("nothing",)'),
        "tests/flows/test_zeros.py::test_zeros_from_sales_always_go_out",
    ),
    _guard(
        "zero-asked-about", ZERO, "a number that became zero while it waited is asked about like any other",
        "hub/pushing.py:late",
        ("    if (not planned) != (not desired):\n        return Late.OVER\n", ""),
        PUSHING + "test_a_number_that_became_zero_meanwhile_is_asked_about_first",
    ),
    _guard(
        "null-is-not-zero", ZERO, "a SKU without an opening has no number, and nothing is sent",
        "hub/stock.py:available",
        ("    if not inputs.opened:\n        return Answer(None, (Step(StepKind.UNOPENED),))\n", ""),
        "tests/flows/test_opening.py::test_null_is_not_zero",
    ),
    _guard(
        "drains-without-redis", REDIS, "with Redis away the workers drain on their own timer",
        "jobs/sweep.py:_round",
        ("if not heard and drains and await pulse.on_duty(DRAINER + number):", "if False:"),
        "tests/flows/test_sweep.py::test_with_redis_away_the_workers_drain_by_themselves",
    ),
    _guard(
        "own-share-without-redis", REDIS, "each worker's bucket is then its share of the rate",
        "hub/throttle.py:_take_alone",
        ("rate = each.rate / self._workers", "rate = each.rate"),
        "tests/http/test_throttle.py::test_with_redis_stopped_each_process_counts_its_share",
    ),
    _guard(
        "empty-after-a-flush", REDIS, "after a flush buckets start empty",
        "hub/throttle.py:_ask",
        ("burst if each.is_quota else 1]", "burst]"),
        "tests/http/test_throttle.py::test_after_a_flush_buckets_start_empty",
    ),
    _guard(
        "looked-up-again", NOBODY, "an unknown address is looked up again before it is nobody's",
        "jobs/intake.py:_find",
        ("        if key not in table or time.monotonic()", "        if time.monotonic()"),
        "tests/intake/test_door.py::test_who_was_connected_a_moment_ago_is_not_nobody",
    ),
    _guard(
        "nobody-is-counted", NOBODY, "a known application's notice for an unknown seller: 200, counted",
        "jobs/intake.py:_app",
        ('                self.counted["nobody"] += 1\n', '                return Answer(404, "nobody")\n'),
        "tests/intake/test_door.py::test_a_thousand_malformed_knocks_leave_nothing",
    ),
    # ── one bad row, and what is written to ────────────────────────────────────────────────────────────────────
    _guard(
        "refused-by-halves", ONE, "a refused batch is sent by halves until the bad row stands alone",
        "jobs/push_stock.py:_refuse_whole",
        ("    if len(codes) == 1 and all(", "    if False and all("),
        PUSHING + "test_a_refused_batch_is_sent_by_halves_until_the_bad_row_stands_alone",
    ),
    _guard(
        "unspeakable-row", ONE, "a slot that cannot be put into words is parked alone",
        "jobs/push_stock.py:_rendered",
        ("            return [each for half in halves(rows) for each in await _rendered(push, half)]",
         "            raise"),
        PUSHING + "test_a_slot_that_cannot_be_put_into_words_is_parked_and_blocks_nobody",
    ),
    _guard(
        "unreadable-row", ONE, "a slot that cannot be read back is parked alone",
        "jobs/push_stock.py:_look_at",
        ("        if not POLICIES[problem.fault].parks:\n            raise\n", "        raise\n"),
        PUSHING + "test_a_slot_that_cannot_be_read_back_is_parked_and_blocks_nobody",
    ),
    _guard(
        "nobody-parked-for-others", ONE, "what must be done first and fails parks no slot, and sends nothing",
        "jobs/push_stock.py:_put_off",
        ("            await slots.retry(tx, push.token, [slot.id], due_at or push.rt.now(), in_doubt=in_doubt)",
         "            await _give_back(push, tx, slot, problem)"),
        PUSHING + "test_what_must_be_done_first_and_fails_parks_nothing_and_sends_nothing",
    ),
    _guard(
        "never-unconfirmed", WHERE, "a listing that its channel never confirmed is not written to",
        "hub/store/slots.py:claim",
        ("    AND s.seen_at IS NOT NULL AND s.approved_at IS NOT NULL", "    AND s.approved_at IS NOT NULL"),
        PUSHING + "test_a_listing_that_the_channel_never_confirmed_is_not_written_to_until_it_is",
    ),
    _guard(
        "never-gone", WHERE, "nor one that is gone, or whose stock is the channel's own",
        "hub/store/slots.py:claim",
        ("s.managed_by = 'seller' AND s.status <> 'closed'\n    AND s.seen_at", "true\n    AND s.seen_at"),
        PUSHING + "test_what_is_gone_not_ours_or_unknown_is_not_written_to",
    ),
    _guard(
        "never-unapproved", WHERE, "nor one that nobody approved",
        "hub/store/slots.py:claim",
        ("AND s.seen_at IS NOT NULL AND s.approved_at IS NOT NULL", "AND s.seen_at IS NOT NULL"),
        "tests/flows/test_approval.py",
    ),
    # ── physical numbers ───────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "physical-read-before", NUMBERS, "what the channel takes off is read right before each write",
        "jobs/push_stock.py:_begin",
        ("        since = await _look(push, planned)", "        since = push.rt.now()"),
        PHYSICAL + "test_its_own_reservations_are_told_on_top_and_taken_off_once",
    ),
    _guard(
        "physical-on-top", NUMBERS, "and told on top of what is available",
        "hub/store/slots.py:write",
        ("quantity=(self.desired or 0) + self.reserved_there,", "quantity=self.desired or 0,"),
        PHYSICAL + "test_its_own_reservations_are_told_on_top_and_taken_off_once",
    ),
    _guard(
        "physical-read-after", NUMBERS, "and read back: the write itself may have moved reservations",
        "jobs/push_stock.py:_call",
        ("    read_back = READ_BACK if push.sink.numbers == PHYSICAL else None", "    read_back = None"),
        PHYSICAL + "test_reservations_that_a_write_makes_it_forget_are_found_and_shown_no_longer",
    ),
    _guard(
        "physical-compared-as-shown", NUMBERS, "what the audit reads is compared as what a buyer can buy",
        "hub/contract.py:as_shown",
        ("return listing if self.numbers == AVAILABLE else", "return listing if self.numbers else"),
        PHYSICAL + "test_the_audit_compares_like_with_like",
    ),
    # ── locks ──────────────────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "own-sales-in-id-order", LOCKS, "a channel's own sales lock their slots in id order",
        "hub/store/slots.py:own_sales",
        ("    await lock(tx, await of_changes(tx, account_id, changes))\n", ""),
        PUSHING + "test_a_channels_own_sales_lock_slots_in_id_order_whatever_order_they_are_told_in",
    ),
    _guard(
        "one-order-of-locks", LOCKS, "an order locks the slots of linked and unlinked lines together, in id order",
        "jobs/settle.py:settle_order",
        (", await slots.of_changes(tx, stored.account_id, changes))", ")"),
        PUSHING + "test_an_order_locks_slots_of_linked_and_unlinked_lines_in_one_order",
    ),
    # ── deadlines ──────────────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "one-alert-a-deadline", DEADLINES, "a nearer threshold's alert takes the place of the one before",
        "jobs/deadlines.py:_crossed",
        ("    await deadlines.resolve(tx, subject, set(decide.SHIP_KINDS.values()) - {kind})\n", ""),
        DUE + "test_each_threshold_is_alerted_once_and_in_place_of_the_one_before",
    ),
    _guard(
        "posted-has-left", DEADLINES, "an order whose parcel a carrier scanned has left, whatever the channel says",
        "hub/deadlines.py:judged",
        (" or order.posted or", " or"),
        DUE + "test_a_parcel_that_a_carrier_scanned_has_left_whatever_the_channel_says",
    ),
    _guard(
        "closed-has-no-clock", DEADLINES, "an order of a closed account is not called late for ever",
        "hub/store/closing.py:close",
        ("SET deadline_at = now() WHERE", "SET deadline_at = deadline_at WHERE"),
        DUE + "test_a_closed_account_has_no_deadlines",
    ),
    _guard(
        "held-has-no-clock", DEADLINES, "what must not be shipped is not called late",
        "hub/deadlines.py:judged",
        (" or order.hold in STOPS", ""),
        "tests/unit/test_deadlines.py::test_an_order_whose_clock_does_not_run",
    ),
    _guard(
        "old-is-no-news", DEADLINES, "what is a month late when it is first seen is not alerted",
        "hub/deadlines.py:judged",
        ("now - due > STALE", "False"),
        "tests/unit/test_deadlines.py::test_an_order_whose_clock_does_not_run",
    ),
    _guard(
        "policy-outlives-tellings", DEADLINES, "a telling without a ship-by leaves the policy's in force",
        "hub/store/orders.py:put",
        ("ship_by = coalesce(%s, ship_by_policy)", "ship_by = %s"),
        DUE + "test_a_policy_gives_the_deadline_where_the_channel_does_not",
    ),
    _guard(
        "moved-is-looked-at", DEADLINES, "whichever flow moves a parcel, it is looked at",
        "hub/store/migrations/versions/0003_deadlines.sql:parcel_moved",
        ("        NEW.look_at := now();\n", ""),
        DUE + "test_a_parcel_that_stands_still_is_alerted_with_the_evidence_and_resolved_when_it_moves",
    ),
    # ── freight ────────────────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "one-label-a-parcel", FREIGHT, "one living label for each volume of an order, whoever buys it",
        "hub/store/labels.py:add",
        ("        if not made:\n            return None\n", ""),
        LABELS + "test_two_people_at_once_buy_one_label",
    ),
    _guard(
        "own-label-not-bought-beside", FREIGHT, "what its channel sends with its own label is not in the queue to buy",
        "hub/store/freight.py:queue",
        ("AND ({unbuyable.ORDINARY} OR {_WORKED_ON})", ""),
        UNBUYABLE + "test_what_the_channel_sends_with_its_own_label_is_bought_only_by_who_insists",
    ),
    _guard(
        "second-label-is-insisted-on", FREIGHT, "a second label, or one for what is short, is bought by who insists",
        "jobs/freight_checks.py:insisted",
        ("if INSISTS[refusal.kind] not in insists:", "if False:"),
        UNBUYABLE + "test_what_the_channel_sends_with_its_own_label_is_bought_only_by_who_insists",
        UNBUYABLE + "test_what_is_short_is_seen_and_bought_only_by_who_insists",
        "tests/web/test_labels.py::test_a_second_label_and_one_for_what_is_short_are_for_one_order_and_who_insists",
    ),
    _guard(
        "short-stays-unbought", FREIGHT, "an order with units short is refused a label",
        "jobs/freight_checks.py:_against",
        ('if row["short"]:', "if False:"),
        UNBUYABLE + "test_what_is_short_is_seen_and_bought_only_by_who_insists",
    ),
    _guard(
        "price-was-seen", FREIGHT, "a label is bought at the price that a person saw",
        "jobs/freight_buy.py:_agreed",
        ('if seen_cents is not None and seen_cents != offer["price_cents"]:', "if False:"),
        UNBUYABLE + "test_nothing_is_bought_at_a_price_that_nobody_saw",
    ),
    _guard(
        "tried-before-asked", FREIGHT, "that the carrier may have sold is written down before it is asked",
        "hub/store/labels.py:trying",
        ("SET tried_at = coalesce(tried_at, %s)", "SET created_at = coalesce(created_at, %s)"),
        LABELS + "test_a_purchase_whose_answer_was_lost_is_looked_up_and_not_bought_again",
    ),
    _guard(
        "looked-up-first", FREIGHT, "a purchase in doubt is looked up before it is bought again",
        "jobs/freight_buy.py:_looked_up",
        ("return await source.find(api, posting, since) if source.find else None", "return None"),
        LABELS + "test_a_purchase_whose_answer_was_lost_is_looked_up_and_not_bought_again",
    ),
    _guard(
        "doubt-is-left-alone", FREIGHT, "nobody looks while the request may still arrive",
        "jobs/freight_buy.py:_failed",
        ('await labels.hold_until(tx, label["id"], token, rt.now() + LANDED, str(problem))',
         'await labels.release(tx, label["id"], token)'),
        LABELS + "test_a_purchase_whose_answer_was_lost_is_looked_up_and_not_bought_again",
    ),
    _guard(
        "sweep-settles-labels", FREIGHT, "what a death left behind is looked up by whoever sweeps",
        "jobs/sweep.py:run",
        ("settling = asyncio.create_task(settle_labels(rt))", "settling = None"),
        LABELS + "test_the_sweep_settles_what_a_death_left_behind",
    ),
    _guard(
        "cancelled-stays-here", FREIGHT, "all that waits leaves, but for the parcels of cancelled orders",
        "jobs/freight_leave.py:sign",
        ('label["order_status"] != "cancelled"', "True"),
        LABELS + "test_a_cancelled_orders_parcel_leaves_only_where_it_is_chosen",
    ),
    _guard(
        "one-spoils-none", FREIGHT, "a label that cannot be drawn is named, and the others come",
        "jobs/freight_labels.py:drawable",
        ("    await asyncio.to_thread(merged, [pdf], Layout.SMALL)\n", ""),
        LABELS + "test_labels_come_as_one_file_and_what_fails_is_named",
    ),
    _guard(
        "never-guessed", FREIGHT, "a carrier that cannot be asked by a reference waits for a person",
        "jobs/freight_buy.py:_purchase",
        ("                await _in_doubt(rt, seller_id, label)\n                return\n", "                pass\n"),
        LABELS + "test_where_a_carrier_cannot_be_asked_a_person_says_what_became_of_it",
    ),
    _guard(
        "key-checked", FREIGHT, "the NF-e key is checked before anything is bought",
        "jobs/freight_buy.py:documents",
        ("return nfe.key_of(keys[0]).key, ()", "return keys[0], ()"),
        LABELS + "test_documents_are_checked_before_anything_is_bought",
    ),
    _guard(
        "bought-is-not-left", FREIGHT, "a channel is told that a parcel left when it did, not when its label is bought",
        "hub/store/labels.py:shipped_as",
        ("SET news_due_at = NULL, news_dirty_at = NULL WHERE id", "SET news_dirty_at = NULL WHERE id"),
        LABELS + "test_a_label_is_bought_by_the_policys_rule_and_its_parcel_followed",
    ),
    _guard(
        "in-its-own-time", FREIGHT, "a slow carrier holds no other up",
        "jobs/freight.py:_ask",
        ("async with asyncio.timeout(seconds):", "async with asyncio.timeout(None):"),
        "tests/flows/test_freight_quotes.py::test_a_carrier_that_is_down_or_slow_is_a_row_and_holds_nobody_up",
    ),
    _guard(
        "left-is-left", FREIGHT, "what left with a manifest is not taken back",
        "jobs/freight_leave.py:cancel",
        ('if label["manifest_id"] is not None:', "if False:"),
        LABELS + "test_a_signed_manifest_tells_the_channel_that_its_parcels_left",
    ),
    _guard(
        "cancelling-is-looked-up", FREIGHT, "a cancellation refused after a lost answer is looked up, not believed",
        "jobs/freight_leave.py:withdraw",
        ("if not gone and again and", "if not gone and not again and"),
        LABELS + "test_a_cancellation_whose_answer_was_lost_is_brought_to_its_end",
    ),
    # ── buyers' e-mail ─────────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "mail-noted-as-leaving", MAIL, "a message is noted, and committed, as leaving before it leaves",
        "hub/smtp.py:send",
        ("            await before()\n", "            pass\n"),
        POST + "test_a_crash_between_sending_and_noting_leaves_it_in_doubt_and_does_not_send_it_again",
    ),
    _guard(
        "mail-in-doubt-stays", MAIL, "a message that nobody knows whether it left is not sent again unasked",
        "hub/store/mails.py:left_behind",
        ("SET state = 'doubt', reason = 'stopped', due_at = NULL, lease_token = NULL",
         "SET state = 'due', lease_token = NULL"),
        POST + "test_a_crash_between_sending_and_noting_leaves_it_in_doubt_and_does_not_send_it_again",
    ),
    _guard(
        "mail-once", MAIL, "an event of an order that was wanted already is not wanted again",
        "hub/store/migrations/versions/0003_deadlines.sql:buyer_mail",
        ("    UNIQUE (seller_id, order_id, event),\n", "    UNIQUE (seller_id, order_id, event, id),\n"),
        POST + "test_each_event_is_told_once_however_often_it_is_heard",
    ),
    _guard(
        "mail-not-of-before", MAIL, "what happened before the seller turned it on is not told",
        "jobs/mails.py:want",
        ("at < wish.since or ", ""),
        POST + "test_what_was_not_turned_on_is_not_sent_nor_what_happened_before",
    ),
    _guard(
        "mail-old-news", MAIL, "what happened days ago is not told",
        "jobs/mails.py:want",
        (" or now - at > decide.NEWS_LASTS", ""),
        POST + "test_old_news_is_no_news",
    ),
    _guard(
        "mail-overtaken", MAIL, "what a later event has overtaken while it waited is not told",
        "hub/store/mails.py:want",
        ("SET state = 'skipped', reason = 'overtaken', due_at = NULL", "SET attempts = attempts"),
        POST + "test_quiet_hours_put_it_off_and_what_is_overtaken_meanwhile_is_not_sent",
    ),
    _guard(
        "mail-no-password-in-clear", MAIL, "a password is not sent to a server that offers no encryption",
        "hub/smtp.py:_open",
        ("elif not server.tls and server.password and not server.near:", "elif False:"),
        POST + "test_a_password_is_not_sent_in_the_clear",
    ),
    # ── a parcel's page for its buyer ──────────────────────────────────────────────────────────────────────────
    _guard(
        "link-signed", BUYER, "an address that none of our keys signed leads nowhere",
        "hub/parcel_link.py:read",
        ("if not any(same(signature, each) for each in known):", "if len(body) != 32:"),
        "tests/unit/test_buyer_mail.py::test_a_link_leads_to_its_parcel_and_no_other_can_be_made",
    ),
    _guard(
        "link-ends", BUYER, "it ends some days after its parcel did",
        "hub/web/pages/parcel.py:_read",
        ("        raise _No(410)\n", "        pass\n"),
        PAGE + "test_a_link_ends_some_days_after_its_parcel",
    ),
    _guard(
        "link-not-hammered", BUYER, "who asks too often waits",
        "hub/web/pages/parcel.py:lets",
        ("        return False\n", "        pass\n"),
        PAGE + "test_who_asks_too_often_waits",
    ),
    _guard(
        "link-no-streets", BUYER, "a place that holds a number, which may be a street, is not shown",
        "hub/web/pages/parcel.py:where",
        (" and not any(letter.isdigit() for letter in city)", ""),
        PAGE + "test_who_has_the_link_sees_where_the_parcel_is_and_nothing_about_anybody",
    ),
    # ── where a parcel is ──────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "parcel-locked", TRACKING, "two answers about one parcel are settled one after the other",
        "hub/store/tracking.py:lock",
        ("ORDER BY s.id FOR UPDATE OF s", "ORDER BY s.id"),
        TRACK + "test_two_answers_about_one_parcel_are_settled_one_after_the_other",
    ),
    _guard(
        "last-leg-ends", TRACKING, "an end told by the carrier that has the parcel is moved by no other",
        "hub/tracking.py:settle_legs",
        ("if not statuses or statuses.get(last) in STICKY:", "if not statuses:"),
        "tests/unit/test_tracking.py::test_an_end_of_the_carrier_that_has_it_is_moved_by_no_other",
    ),
    _guard(
        "unknown-code-kept", TRACKING, "what is told in a code of no table is kept, and settled once a table has it",
        "jobs/track.py:_write",
        (
            'await tracking.keep(tx, account.id, parse.canonical_bytes(raw), unknown, "unknown_code", rt.now())',
            "del unknown",
        ),
        TRACK + "test_a_code_in_no_table_is_shown_and_settled_once_a_table_has_it",
    ),
    _guard(
        "stray-kept", TRACKING, "what is told of nobody's parcel is kept, and settled once somebody has it",
        "jobs/parcels.py:hear",
        ("strays = sorted({one.code for one in told if one.code not in known})", "strays = list[str]()"),
        TRACK + "test_what_is_told_of_a_parcel_that_nobody_knows_is_kept_and_settled_once_somebody_does",
    ),
    _guard(
        "not-found-alerted", TRACKING, "a parcel that its carrier does not know for days is alerted",
        "jobs/parcels.py:_people",
        ("    if missing:\n", "    if False:\n"),
        TRACK + "test_a_parcel_that_stays_unknown_is_alerted_with_the_evidence_until_it_is_found",
    ),
    _guard(
        "batch-filled", TRACKING, "a request that leaves takes along what is due soon",
        "hub/store/tracking.py:claim",
        ("soon = now + AHEAD if limit > 1 else now", "soon = now"),
        TRACK + "test_a_request_that_leaves_takes_along_what_is_due_soon",
    ),
    _guard(
        "unreadable-alone", TRACKING, "an answer that cannot be read is asked for in halves",
        "jobs/track.py:_ask",
        ("if problem.fault is Fault.SHAPE and len(asked) > 1:", "if False:"),
        TRACK + "test_one_answer_that_cannot_be_read_hides_no_other_parcel",
    ),
    _guard(
        "missed-is-asked", TRACKING, "a carrier that did not tell something by itself is asked at the usual pace again",
        "jobs/parcels.py:_row",
        ("heard_at = None  # it had not told this by itself", "pass"),
        TRACK + "test_while_a_carrier_tells_by_itself_it_is_asked_less_often_until_it_misses_something",
    ),
    _guard(
        "ambiguous-left-alone", TRACKING, "a parcel whose words and code name different carriers is nobody's",
        "hub/carriers.py:choose",
        ('    if len(candidates) > 1:\n        return None, "ambiguous"\n', ""),
        "tests/unit/test_carriers.py::test_one_account_follows_or_none",
    ),
    _guard(
        "s10-digit", TRACKING, "a code counts as a postal one by its check digit",
        "hub/carriers.py:is_s10",
        (" and s10_digit(code[2:10]) == int(code[10])", ""),
        "tests/unit/test_carriers.py::test_an_s10_code_has_one_check_digit",
    ),
    _guard(
        "handed-over-once", TRACKING, "a parcel that came back is not handed to the same carrier for ever",
        "jobs/follow.py:hand_over",
        ("    if to.code in parcel.codes:\n        return\n", ""),
        TRACK + "test_where_the_next_carrier_does_not_know_it_the_one_before_is_asked_again",
    ),
    _guard(
        "given-back", TRACKING, "a carrier that does not know a parcel gives it back to the one before",
        "jobs/parcels.py:settle",
        ("if decide.never_found(row.not_found_since, rt.now(), BACK_DAYS):", "if False:"),
        TRACK + "test_where_the_next_carrier_does_not_know_it_the_one_before_is_asked_again",
    ),
    _guard(
        "feed-page-with-its-cursor", TRACKING, "a page of a feed and the cursor behind it are kept as one",
        "jobs/told.py:feed",
        (
            "                await inbox.add(tx, arrivals)\n",
            (
                "                await inbox.add(tx, arrivals)\n"
                "        async with rt.db.seller(account.seller_id) as tx:\n"
            ),
        ),
        TRACK + "test_a_page_of_a_feed_is_lost_by_no_crash",
    ),
    _guard(
        "channels-word-meanwhile", TRACKING, "the channel's word of its own parcel holds until a carrier has spoken",
        "hub/store/shipments.py:_put_one",
        ("OR (shipment.source = 'channel' AND shipment.last_event_at IS NULL)", ""),
        TRACK + "test_the_channels_word_holds_until_the_carrier_has_spoken",
    ),
    # ── events out ─────────────────────────────────────────────────────────────────────────────────────────────
    _guard(
        "events-in-the-same-transaction", OUT, "an event is written by the transaction that makes the change",
        "hub/store/migrations/versions/0004_events.sql:event_of_alert",
        ("event_of_alert AFTER INSERT OR UPDATE OF resolved_at", "event_of_alert AFTER DELETE"),
        EVENT + "test_what_a_transaction_takes_back_was_never_told",
    ),
    _guard(
        "nothing-for-nobody", OUT, "where nobody listens nothing is written",
        "hub/store/migrations/versions/0004_events.sql:event_wanted",
        ("RETURN EXISTS (SELECT FROM event_interest", "RETURN true OR EXISTS (SELECT FROM event_interest"),
        EVENT + "test_who_asks_for_a_while_is_left_alone_and_who_is_gone_for_good",
    ),
    _guard(
        "numbered-by-one", OUT, "events of a seller are numbered by one at a time: a feed by number misses nothing",
        "hub/store/events.py:turn",
        ("SELECT last_number FROM event_interest FOR UPDATE SKIP LOCKED", "SELECT last_number FROM event_interest"),
        EVENT + "test_two_workers_number_and_send_each_event_once",
    ),
    _guard(
        "availability-not-moves", OUT, "a SKU that moved and came back is no news",
        "hub/store/events.py:moved_skus",
        ("           WHERE n.available IS DISTINCT FROM excluded.available\n", ""),
        EVENT + "test_a_storm_of_sales_is_one_word_about_the_sku_until_it_was_told",
    ),
    _guard(
        "a-word-every-five-seconds", OUT, "a SKU is told of at most every five seconds",
        "hub/store/migrations/versions/0004_events.sql:event_of_levels",
        ("greatest(now(), sku_news.told_at + interval '5 seconds')", "now()"),
        EVENT + "test_a_storm_of_sales_is_one_word_about_the_sku_until_it_was_told",
    ),
    _guard(
        "superseded", OUT, "an older number that still waits is not sent any more",
        "hub/store/events.py:hand_out",
        ("if skus := [each.subject for each in told if each.kind == STOCK]:", "if skus := []:"),
        EVENT + "test_a_storm_of_sales_is_one_word_about_the_sku_until_it_was_told",
    ),
    _guard(
        "few-under-way", OUT, "few requests are under way to one endpoint, over all workers",
        "hub/store/endpoints.py:claim",
        ("AND lease_token IS NOT NULL", "AND false"),
        EVENT + "test_a_slow_endpoint_holds_up_no_other_and_has_few_under_way",
    ),
    _guard(
        "asked-to-wait", OUT, "an endpoint that asks for a while is left alone, with all that waits for it",
        "jobs/courier.py:_note",
        ("                await endpoints.rest(tx, each.endpoint_id, until)\n", "                pass\n"),
        EVENT + "test_who_asks_for_a_while_is_left_alone_and_who_is_gone_for_good",
    ),
    _guard(
        "gone-is-gone", OUT, "410 disables an endpoint at once",
        "jobs/courier.py:_note",
        ('"gone" if attempt.status == decide.GONE else ', ""),
        EVENT + "test_who_asks_for_a_while_is_left_alone_and_who_is_gone_for_good",
    ),
    _guard(
        "hopeless", OUT, "an endpoint that took nothing for days is disabled, and somebody told",
        "jobs/courier.py:_note",
        ('"failing" if decide.is_hopeless(since, now) else None', "None"),
        EVENT + "test_an_endpoint_that_takes_nothing_for_days_is_disabled_with_an_alert",
    ),
    _guard(
        "no-private-endpoint", OUT, "each request looks whether its address is private, whatever was checked before",
        "hub/delivery.py:post",
        ("    check(client, url)\n", ""),
        EVENT + "test_private_addresses_and_plain_http_are_refused_and_so_is_a_redirect",
    ),
    _guard(
        "both-secrets-sign", OUT, "while a secret is replaced the one before signs too",
        "jobs/courier.py:_secrets",
        ('            found.append(self.rt.vault.open(each.old_sealed)["secret"])\n', "            pass\n"),
        EVENT + "test_while_a_secret_is_replaced_both_sign_and_then_the_new_one_alone",
    ),
    _guard(
        "dead-couriers", OUT, "what a killed worker was sending is free again at once",
        "hub/store/due.py:free_dead",
        ('"shipment", "event_delivery")', '"shipment")'),
        EVENT + "test_a_worker_killed_anywhere_loses_nothing_and_what_left_twice_has_one_id",
    ),
    _guard(
        "unsent-is-kept", OUT, "an event that is still to be sent is not dropped for its age",
        "hub/store/events.py:prune",
        ("AND d.due_at IS NOT NULL)", "AND false)"),
        EVENT + "test_a_test_event_goes_to_its_endpoint_alone_and_old_ones_are_dropped",
    ),
)  # fmt: skip


def page() -> str:
    """docs/GUARDS.md."""
    lines = [
        "# Guards",
        "",
        "Every race that a hub like this lives with, what the hub does about it, where that stands, and the test that",
        "fails when it is taken out. `python -m tests.guards [NAME ...]` takes them out, one by one, of a copy of the",
        "tree, and runs the named tests: *killed* means that they failed, *survived* that nothing would notice. This",
        "page is made by `python -m tests.guards --page`; a test of every run checks that what it names is there.",
    ]
    race = ""
    for guard in GUARDS:
        if guard.race != race:
            race = guard.race
            lines += ["", f"## {race}", "", "| guard | what it does | where | fails without it |", "|---|---|---|---|"]
        tests = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in guard.tests)
        lines.append(f"| {guard.name} | {guard.says} | `{guard.file}` `{guard.function}` | {tests} |")
    return "\n".join(lines) + "\n"
