"""Every operation of the REST API as a method. Written by `python -m hub.web.api.client`, not by hand."""

from collections.abc import Iterator
from uuid import UUID

from hub.client.transport import Transport
from hub.web.api import (
    accounts,
    alerts,
    approvals,
    audit,
    buffers,
    channel_labels,
    connecting,
    counts,
    events,
    freight,
    handling,
    health,
    imports,
    kits,
    letters,
    listing_deeds,
    listings,
    manifests,
    notices,
    orders,
    people,
    policies,
    policy_shapes,
    processes,
    purchases,
    replenishment,
    returns,
    shapes,
    shipments,
    skus,
    stock,
    stranded,
    suppliers,
    transfers,
    warehouses,
)


class Client(Transport):
    """A hub's REST API. Lists are read page by page, as they are walked through."""

    def accept_difference(self, id_: UUID) -> listings.Difference:
        """Put a difference right."""
        return self.ask(listings.Difference, "POST", "/differences/{id}/accept", named={"id": id_}, once=True)

    def add_absence(self, body: processes.NewAbsence) -> processes.Absence:
        """Note an absence."""
        return self.ask(processes.Absence, "POST", "/absences", body=body, once=True)

    def add_event_endpoint(self, body: events.NewEndpoint) -> events.Endpoint:
        """Create an endpoint."""
        return self.ask(events.Endpoint, "POST", "/event-endpoints", body=body, once=True)

    def add_notice_way(self, body: notices.NewWay) -> notices.Way:
        """Add a way of notices."""
        return self.ask(notices.Way, "POST", "/notice-ways", body=body, once=True)

    def add_order_note(self, id_: UUID, body: handling.NewNote) -> handling.Note:
        """Note something about an order."""
        return self.ask(handling.Note, "POST", "/orders/{id}/notes", named={"id": id_}, body=body, once=True)

    def add_purchase(self, body: purchases.NewPurchase) -> purchases.Purchase:
        """Add a purchase order, a draft."""
        return self.ask(purchases.Purchase, "POST", "/purchases", body=body, once=True)

    def add_supplier(self, body: suppliers.NewSupplier) -> suppliers.Supplier:
        """Add a supplier."""
        return self.ask(suppliers.Supplier, "POST", "/suppliers", body=body, once=True)

    def add_transfer(self, body: transfers.NewTransfer) -> transfers.Transfer:
        """Plan a transfer."""
        return self.ask(transfers.Transfer, "POST", "/transfers", body=body, once=True)

    def add_upload(self, body: imports.NewUpload) -> imports.Upload:
        """Send a sheet, and see what it would do."""
        return self.ask(imports.Upload, "POST", "/uploads", body=body, once=True)

    def add_warehouse(self, body: warehouses.NewWarehouse) -> warehouses.WholeWarehouse:
        """Make a warehouse."""
        return self.ask(warehouses.WholeWarehouse, "POST", "/warehouses", body=body, once=True)

    def adjust_sku(self, code: str, body: skus.Adjustment) -> skus.StockChanged:
        """Adjust a SKU."""
        return self.ask(skus.StockChanged, "POST", "/skus/{code}/adjust", named={"code": code}, body=body, once=True)

    def approve_account(self, id_: UUID, body: approvals.AskedScope) -> approvals.Approved:
        """Approve what the hub writes to an account."""
        return self.ask(approvals.Approved, "POST", "/accounts/{id}/approve", named={"id": id_}, body=body, once=True)

    def assign_alert(self, id_: UUID, body: alerts.Owner) -> alerts.History:
        """Gives it to a person or a role."""
        return self.ask(alerts.History, "PUT", "/alerts/{id}/owner", named={"id": id_}, body=body)

    def authorize_account(self, body: connecting.Authorization) -> connecting.Leave:
        """Start the authorization of a new account."""
        return self.ask(connecting.Leave, "POST", "/authorizations", body=body, once=True)

    def buy_labels(self, id_: UUID, body: freight.Buying) -> freight.Bought:
        """Buy an order's labels."""
        return self.ask(freight.Bought, "POST", "/orders/{id}/labels", named={"id": id_}, body=body, once=True)

    def cancel_count(self, number: int) -> counts.Opened:
        """Give a stock count up."""
        return self.ask(counts.Opened, "POST", "/counts/{number}/cancel", named={"number": number}, once=True)

    def cancel_label(self, id_: UUID) -> freight.Withdrawn:
        """Cancel a label at the carrier."""
        return self.ask(freight.Withdrawn, "POST", "/labels/{id}/cancel", named={"id": id_}, once=True)

    def cancel_purchase(self, id_: UUID) -> purchases.Purchase:
        """Nothing of this order will come."""
        return self.ask(purchases.Purchase, "POST", "/purchases/{id}/cancel", named={"id": id_}, once=True)

    def cancel_transfer(self, number: int) -> transfers.Transfer:
        """Cancel a transfer."""
        return self.ask(transfers.Transfer, "POST", "/transfers/{number}/cancel", named={"number": number}, once=True)

    def change_account_policies(self, id_: UUID, body: policy_shapes.AccountChange) -> policy_shapes.AccountPolicies:
        """Change a part of an account's policies."""
        return self.ask(policy_shapes.AccountPolicies, "PATCH", "/accounts/{id}/policies", named={"id": id_}, body=body)

    def change_event_endpoint(self, id_: UUID, body: events.EndpointChange) -> events.Endpoint:
        """Change, disable or enable an endpoint."""
        return self.ask(events.Endpoint, "PATCH", "/event-endpoints/{id}", named={"id": id_}, body=body)

    def change_notice_way(self, id_: UUID, body: notices.WayChange) -> notices.Way:
        """Change a way of notices, turn it off or on."""
        return self.ask(notices.Way, "PATCH", "/notice-ways/{id}", named={"id": id_}, body=body)

    def change_policies(self, body: policy_shapes.ShopChange) -> policy_shapes.ShopPolicies:
        """Change a part of the shop's policies."""
        return self.ask(policy_shapes.ShopPolicies, "PATCH", "/policies", body=body)

    def change_replenishment(self, code: str, body: replenishment.ReplenishmentOfSku) -> replenishment.SkuReplenishment:
        """Change how a SKU is replenished."""
        return self.ask(
            replenishment.SkuReplenishment, "PATCH", "/skus/{code}/replenishment", named={"code": code}, body=body
        )

    def change_role(self, id_: UUID, body: people.RoleChange) -> people.Person:
        """Change a person's role."""
        return self.ask(people.Person, "PATCH", "/people/{id}", named={"id": id_}, body=body)

    def change_supplier(self, id_: UUID, body: suppliers.SupplierChange) -> suppliers.Supplier:
        """Change a supplier."""
        return self.ask(suppliers.Supplier, "PATCH", "/suppliers/{id}", named={"id": id_}, body=body)

    def change_warehouse(self, id_: UUID, body: warehouses.WarehouseChange) -> warehouses.WholeWarehouse:
        """Change a warehouse."""
        return self.ask(warehouses.WholeWarehouse, "PATCH", "/warehouses/{id}", named={"id": id_}, body=body)

    def check_account(self, id_: UUID) -> accounts.Checked:
        """Ask the channel whether the access holds."""
        return self.ask(accounts.Checked, "POST", "/accounts/{id}/check", named={"id": id_})

    def close_alert(self, id_: UUID, body: alerts.AlertNote) -> alerts.History:
        """Close an alert, and say why."""
        return self.ask(alerts.History, "POST", "/alerts/{id}/close", named={"id": id_}, body=body, once=True)

    def close_purchase(self, id_: UUID) -> purchases.Purchase:
        """What is missing will not come."""
        return self.ask(purchases.Purchase, "POST", "/purchases/{id}/close", named={"id": id_}, once=True)

    def close_warehouse(self, id_: UUID) -> None:
        """Close an empty warehouse."""
        self.do("DELETE", "/warehouses/{id}", named={"id": id_})

    def confirm_upload(self, id_: UUID, body: imports.Sure) -> imports.Written:
        """Write a sheet."""
        return self.ask(imports.Written, "POST", "/uploads/{id}/confirm", named={"id": id_}, body=body, once=True)

    def connect_account(self, body: connecting.Connection) -> connecting.Connected:
        """Connect an account by its keys."""
        return self.ask(connecting.Connected, "POST", "/accounts", body=body, once=True)

    def count_sku(self, code: str, body: skus.SkuCount) -> skus.StockChanged:
        """Count a SKU."""
        return self.ask(skus.StockChanged, "POST", "/skus/{code}/count", named={"code": code}, body=body, once=True)

    def delete_buffer(self, id_: UUID) -> buffers.Changed:
        """Remove a buffer."""
        return self.ask(buffers.Changed, "DELETE", "/buffers/{id}", named={"id": id_})

    def delete_link(self, id_: UUID) -> None:
        """Unlink a listing."""
        self.do("DELETE", "/listings/{id}/link", named={"id": id_})

    def discard_upload(self, id_: UUID) -> None:
        """Discard a sheet."""
        self.do("DELETE", "/uploads/{id}", named={"id": id_})

    def disconnect_account(self, id_: UUID) -> connecting.Ended:
        """Disconnect an account."""
        return self.ask(connecting.Ended, "DELETE", "/accounts/{id}", named={"id": id_})

    def dismiss_difference(self, id_: UUID) -> listings.Difference:
        """Leave a difference as it is."""
        return self.ask(listings.Difference, "POST", "/differences/{id}/dismiss", named={"id": id_}, once=True)

    def drop_kit(self, code: str) -> kits.Undone:
        """Make a kit a plain SKU again."""
        return self.ask(kits.Undone, "DELETE", "/skus/{code}/kit", named={"code": code})

    def end_absence(self, id_: UUID) -> None:
        """End an absence."""
        self.do("DELETE", "/absences/{id}", named={"id": id_})

    def enter_count(self, number: int, body: counts.Entries) -> counts.Noted:
        """Note what was counted."""
        return self.ask(
            counts.Noted, "POST", "/counts/{number}/entries", named={"number": number}, body=body, once=True
        )

    def get_account(self, id_: UUID) -> accounts.Account:
        """One account."""
        return self.ask(accounts.Account, "GET", "/accounts/{id}", named={"id": id_})

    def get_account_policies(self, id_: UUID) -> policy_shapes.AccountPolicies:
        """An account's policies."""
        return self.ask(policy_shapes.AccountPolicies, "GET", "/accounts/{id}/policies", named={"id": id_})

    def get_account_warehouses(self, id_: UUID) -> warehouses.Drawn:
        """Which warehouses an account draws from."""
        return self.ask(warehouses.Drawn, "GET", "/accounts/{id}/warehouses", named={"id": id_})

    def get_alert(self, id_: UUID) -> alerts.History:
        """An alert and its history."""
        return self.ask(alerts.History, "GET", "/alerts/{id}", named={"id": id_})

    def get_allocation(self, id_: UUID) -> handling.Plan:
        """Which warehouses an order would leave from, were it placed now, and why."""
        return self.ask(handling.Plan, "GET", "/orders/{id}/allocation", named={"id": id_})

    def get_approval(self, id_: UUID) -> approvals.Approval:
        """What is approved of an account."""
        return self.ask(approvals.Approval, "GET", "/accounts/{id}/approval", named={"id": id_})

    def get_count(self, number: int) -> counts.CountRow:
        """A stock count."""
        return self.ask(counts.CountRow, "GET", "/counts/{number}", named={"number": number})

    def get_difference_rules(self, id_: UUID) -> listing_deeds.Rules:
        """What is done by itself about each difference of an account."""
        return self.ask(listing_deeds.Rules, "GET", "/accounts/{id}/difference-rules", named={"id": id_})

    def get_handling(self, id_: UUID) -> handling.Handling:
        """Whether an order was packed and printed."""
        return self.ask(handling.Handling, "GET", "/orders/{id}/handling", named={"id": id_})

    def get_health(self) -> health.Health:
        """Whether the hub's promises hold, and how much work waits."""
        return self.ask(health.Health, "GET", "/health")

    def get_kit(self, code: str) -> kits.Kit:
        """What a kit is made of."""
        return self.ask(kits.Kit, "GET", "/skus/{code}/kit", named={"code": code})

    def get_label(self, id_: UUID) -> freight.Label:
        """One label."""
        return self.ask(freight.Label, "GET", "/labels/{id}", named={"id": id_})

    def get_label_file(self, id_: UUID, query: freight.PrintQuery | None = None) -> freight.Printed:
        """A label as PDF."""
        return self.ask(freight.Printed, "GET", "/labels/{id}/file", query=query, named={"id": id_})

    def get_listing(self, id_: UUID) -> listings.Listing:
        """A listing."""
        return self.ask(listings.Listing, "GET", "/listings/{id}", named={"id": id_})

    def get_manifest_draft(self, id_: UUID, query: manifests.Format | None = None) -> manifests.File:
        """What waits for a carrier, as PDF or CSV."""
        return self.ask(manifests.File, "GET", "/accounts/{id}/manifest", query=query, named={"id": id_})

    def get_manifest_file(self, id_: UUID, query: manifests.Format | None = None) -> manifests.File:
        """A manifest, as PDF or CSV."""
        return self.ask(manifests.File, "GET", "/manifests/{id}/file", query=query, named={"id": id_})

    def get_order(self, id_: UUID) -> orders.WholeOrder:
        """An order, with what it holds and what it lacks."""
        return self.ask(orders.WholeOrder, "GET", "/orders/{id}", named={"id": id_})

    def get_order_document(self, id_: UUID, query: handling.WhichPaper | None = None) -> handling.PaperText:
        """A document of an order, as the channel told it."""
        return self.ask(handling.PaperText, "GET", "/orders/{id}/document", query=query, named={"id": id_})

    def get_order_timeline(self, id_: UUID) -> orders.Timeline:
        """Everything that happened to an order."""
        return self.ask(orders.Timeline, "GET", "/orders/{id}/timeline", named={"id": id_})

    def get_playbook(self, kind: str) -> processes.Playbook:
        """The process of a kind of alert, with its steps."""
        return self.ask(processes.Playbook, "GET", "/playbooks/{kind}", named={"kind": kind})

    def get_policies(self) -> policy_shapes.ShopPolicies:
        """The shop's policies."""
        return self.ask(policy_shapes.ShopPolicies, "GET", "/policies")

    def get_purchase(self, id_: UUID) -> purchases.Purchase:
        """A purchase order, with lines and receipts."""
        return self.ask(purchases.Purchase, "GET", "/purchases/{id}", named={"id": id_})

    def get_replenishment(self, code: str) -> replenishment.SkuReplenishment:
        """How a SKU is replenished."""
        return self.ask(replenishment.SkuReplenishment, "GET", "/skus/{code}/replenishment", named={"code": code})

    def get_shipment(self, id_: UUID) -> shipments.TrackedShipment:
        """One shipment, with what the carrier scanned."""
        return self.ask(shipments.TrackedShipment, "GET", "/shipments/{id}", named={"id": id_})

    def get_shortage(self, id_: UUID) -> health.Explained:
        """One shortage, with what led to it."""
        return self.ask(health.Explained, "GET", "/shortages/{id}", named={"id": id_})

    def get_sku(self, code: str) -> skus.WholeSku:
        """A SKU."""
        return self.ask(skus.WholeSku, "GET", "/skus/{code}", named={"code": code})

    def get_stock(self, code: str) -> stock.Stock:
        """A SKU's stock, with the reason for every number."""
        return self.ask(stock.Stock, "GET", "/skus/{code}/stock", named={"code": code})

    def get_transfer(self, number: int) -> transfers.Transfer:
        """A transfer, line by line."""
        return self.ask(transfers.Transfer, "GET", "/transfers/{number}", named={"number": number})

    def get_upload(self, id_: UUID) -> imports.Upload:
        """What a sheet would do now."""
        return self.ask(imports.Upload, "GET", "/uploads/{id}", named={"id": id_})

    def get_warehouse(self, id_: UUID) -> warehouses.WholeWarehouse:
        """A warehouse, with its areas."""
        return self.ask(warehouses.WholeWarehouse, "GET", "/warehouses/{id}", named={"id": id_})

    def invite(self, body: people.NewInvitation) -> people.Invited:
        """Invite somebody."""
        return self.ask(people.Invited, "PUT", "/invitations", body=body)

    def list_absences(self) -> processes.Absences:
        """Who is away or will be."""
        return self.ask(processes.Absences, "GET", "/absences")

    def list_accounts(self, query: accounts.WhichAccounts | None = None) -> accounts.Accounts:
        """Accounts, with the health of each."""
        return self.ask(accounts.Accounts, "GET", "/accounts", query=query)

    def list_alerts(self, query: alerts.AlertQuery | None = None) -> Iterator[alerts.Alert]:
        """Open alerts."""
        return self.rows(alerts.Alert, "/alerts", query=query)

    def list_audit_log(self, query: audit.LogQuery | None = None) -> Iterator[audit.AuditEntry]:
        """The log: who did what."""
        return self.rows(audit.AuditEntry, "/audit-log", query=query)

    def list_buffers(self, query: shapes.Paging | None = None) -> Iterator[buffers.Buffer]:
        """Safety buffers, the most particular first."""
        return self.rows(buffers.Buffer, "/buffers", query=query)

    def list_buyer_messages(self) -> policies.BuyerMessages:
        """The words of e-mail to buyers."""
        return self.ask(policies.BuyerMessages, "GET", "/buyer-messages")

    def list_channel_labels(self, query: channel_labels.LabelsQuery | None = None) -> Iterator[channel_labels.ToPrint]:
        """The labels that channels issue for what has not left yet."""
        return self.rows(channel_labels.ToPrint, "/channel-labels", query=query)

    def list_channels(self) -> accounts.Channels:
        """Channels and carriers that can be connected."""
        return self.ask(accounts.Channels, "GET", "/channels")

    def list_closed_alerts(self, query: alerts.OverQuery | None = None) -> Iterator[alerts.Alert]:
        """Closed alerts."""
        return self.rows(alerts.Alert, "/alerts/closed", query=query)

    def list_count_lines(self, number: int, query: shapes.Paging | None = None) -> Iterator[counts.CountLine]:
        """A stock count, line by line."""
        return self.rows(counts.CountLine, "/counts/{number}/lines", query=query, number=number)

    def list_counts(self, query: shapes.Paging | None = None) -> Iterator[counts.CountRow]:
        """Stock counts."""
        return self.rows(counts.CountRow, "/counts", query=query)

    def list_deadlines(self, query: shapes.Paging | None = None) -> Iterator[shipments.Deadline]:
        """What must leave, the most urgent first."""
        return self.rows(shipments.Deadline, "/deadlines", query=query)

    def list_differences(self, query: listings.DifferenceQuery | None = None) -> Iterator[listings.Difference]:
        """Differences between channels and the hub."""
        return self.rows(listings.Difference, "/differences", query=query)

    def list_event_deliveries(self, id_: UUID, query: events.LogQuery | None = None) -> Iterator[events.DeliveryRow]:
        """An endpoint's log."""
        return self.rows(events.DeliveryRow, "/event-endpoints/{id}/deliveries", query=query, id=id_)

    def list_event_endpoints(self) -> events.Endpoints:
        """Endpoints for events."""
        return self.ask(events.Endpoints, "GET", "/event-endpoints")

    def list_events(self, query: events.FeedQuery | None = None) -> Iterator[events.Event]:
        """What happened, in order, for those who cannot receive."""
        return self.rows(events.Event, "/events", query=query)

    def list_import_lines(self, number: int, query: shapes.Paging | None = None) -> Iterator[imports.ImportLine]:
        """What an import of stock did."""
        return self.rows(imports.ImportLine, "/imports/{number}/lines", query=query, number=number)

    def list_imports(self, query: shapes.Paging | None = None) -> Iterator[imports.StockImport]:
        """Imports of stock."""
        return self.rows(imports.StockImport, "/imports", query=query)

    def list_invitations(self) -> people.Invitations:
        """Open invitations."""
        return self.ask(people.Invitations, "GET", "/invitations")

    def list_labels(self, query: freight.LabelQuery | None = None) -> Iterator[freight.Label]:
        """Labels."""
        return self.rows(freight.Label, "/labels", query=query)

    def list_letters(self, query: letters.LetterQuery | None = None) -> Iterator[letters.Letter]:
        """What stands still until somebody acts."""
        return self.rows(letters.Letter, "/letters", query=query)

    def list_link_duplicates(self, query: listings.Doubles | None = None) -> Iterator[listings.Doubled]:
        """Codes and stocks that are there twice, by which nothing is linked."""
        return self.rows(listings.Doubled, "/link-duplicates", query=query)

    def list_link_suggestions(self, query: listings.Suggestions | None = None) -> Iterator[listings.Suggested]:
        """Listings without a link, with the SKUs that they may be."""
        return self.rows(listings.Suggested, "/link-suggestions", query=query)

    def list_listings(self, query: listings.Listings | None = None) -> Iterator[listings.Listing]:
        """Listings, with what they should show and what they show."""
        return self.rows(listings.Listing, "/listings", query=query)

    def list_manifests(self, query: shapes.Paging | None = None) -> Iterator[manifests.Manifest]:
        """The signed manifests."""
        return self.rows(manifests.Manifest, "/manifests", query=query)

    def list_movements(self, code: str, query: skus.Movements | None = None) -> Iterator[skus.Movement]:
        """What came in and went out of a SKU."""
        return self.rows(skus.Movement, "/skus/{code}/movements", query=query, code=code)

    def list_notice_ways(self) -> notices.Ways:
        """By which ways each person is told of alerts."""
        return self.ask(notices.Ways, "GET", "/notice-ways")

    def list_open_orders(self, id_: UUID, query: shapes.Paging | None = None) -> Iterator[stranded.OpenOrder]:
        """An account's orders that hold units or wait for some."""
        return self.rows(stranded.OpenOrder, "/accounts/{id}/open-orders", query=query, id=id_)

    def list_order_documents(self, id_: UUID) -> handling.Papers:
        """The documents kept of an order."""
        return self.ask(handling.Papers, "GET", "/orders/{id}/documents", named={"id": id_})

    def list_order_notes(self, id_: UUID) -> handling.Notes:
        """An order's notes."""
        return self.ask(handling.Notes, "GET", "/orders/{id}/notes", named={"id": id_})

    def list_orders(self, query: orders.Wanted | None = None) -> Iterator[orders.Order]:
        """Orders of every channel."""
        return self.rows(orders.Order, "/orders", query=query)

    def list_parcel_troubles(self, query: shipments.Troubles | None = None) -> Iterator[shipments.Trouble]:
        """Parcels that need a person."""
        return self.rows(shipments.Trouble, "/parcel-troubles", query=query)

    def list_people(self) -> people.People:
        """Who works for the shop, and in which role."""
        return self.ask(people.People, "GET", "/people")

    def list_playbooks(self) -> processes.Playbooks:
        """The processes, by kind of alert."""
        return self.ask(processes.Playbooks, "GET", "/playbooks")

    def list_preview(self, id_: UUID, query: approvals.PreviewQuery | None = None) -> Iterator[approvals.PreviewRow]:
        """What each slot of an account would get, and why."""
        return self.rows(approvals.PreviewRow, "/accounts/{id}/preview", query=query, id=id_)

    def list_purchases(self, query: purchases.PurchaseQuery | None = None) -> Iterator[purchases.PurchaseRow]:
        """Purchase orders, newest first."""
        return self.rows(purchases.PurchaseRow, "/purchases", query=query)

    def list_returns(self, query: returns.ReturnQuery | None = None) -> Iterator[returns.ReturnRow]:
        """Returns, line by line."""
        return self.rows(returns.ReturnRow, "/returns", query=query)

    def list_shipments(self, query: shipments.Wanted | None = None) -> Iterator[shipments.Shipment]:
        """Shipments, newest first."""
        return self.rows(shipments.Shipment, "/shipments", query=query)

    def list_shortages(self, query: health.Wanted | None = None) -> Iterator[health.Shortage]:
        """Units sold that are short, and why."""
        return self.rows(health.Shortage, "/shortages", query=query)

    def list_sku_imports(self, query: shapes.Paging | None = None) -> Iterator[imports.SkuImport]:
        """Imports of SKUs."""
        return self.rows(imports.SkuImport, "/sku-imports", query=query)

    def list_skus(self, query: skus.Wanted | None = None) -> Iterator[skus.Sku]:
        """SKUs, by code."""
        return self.rows(skus.Sku, "/skus", query=query)

    def list_suggestions(self, query: purchases.SuggestionQuery | None = None) -> Iterator[purchases.Suggestion]:
        """What to buy, how much, and why."""
        return self.rows(purchases.Suggestion, "/replenishment", query=query)

    def list_suppliers(self, query: shapes.Paging | None = None) -> Iterator[suppliers.SupplierRow]:
        """Suppliers, by name."""
        return self.rows(suppliers.SupplierRow, "/suppliers", query=query)

    def list_transfers(self, query: transfers.TransferQuery | None = None) -> Iterator[transfers.TransferRow]:
        """Transfers between warehouses."""
        return self.rows(transfers.TransferRow, "/transfers", query=query)

    def list_warehouses(self, query: shapes.Paging | None = None) -> Iterator[warehouses.Warehouse]:
        """Warehouses, by code, with what stands in each."""
        return self.rows(warehouses.Warehouse, "/warehouses", query=query)

    def make_sku(self, id_: UUID, body: listing_deeds.NewSku) -> listings.Listing:
        """Make a SKU out of a listing, and link it."""
        return self.ask(listings.Listing, "POST", "/listings/{id}/sku", named={"id": id_}, body=body, once=True)

    def mark_order(self, id_: UUID, body: handling.Marks) -> handling.Handling:
        """Mark an order as packed or printed."""
        return self.ask(handling.Handling, "PATCH", "/orders/{id}/handling", named={"id": id_}, body=body)

    def note_alert(self, id_: UUID, body: alerts.AlertNote) -> alerts.History:
        """Note something on an alert."""
        return self.ask(alerts.History, "POST", "/alerts/{id}/notes", named={"id": id_}, body=body, once=True)

    def open_count(self, body: counts.NewCount) -> counts.Opened:
        """Open a stock count."""
        return self.ask(counts.Opened, "POST", "/counts", body=body, once=True)

    def pause_account(self, id_: UUID, body: accounts.Reason) -> accounts.Account:
        """Pause an account."""
        return self.ask(accounts.Account, "POST", "/accounts/{id}/pause", named={"id": id_}, body=body, once=True)

    def place_order(self, id_: UUID, body: handling.Place) -> handling.OrderMoved:
        """Have an order leave from a warehouse."""
        return self.ask(handling.OrderMoved, "POST", "/orders/{id}/allocation", named={"id": id_}, body=body, once=True)

    def post_count(self, number: int, body: counts.Posting) -> counts.Posted:
        """Post the differences."""
        return self.ask(counts.Posted, "POST", "/counts/{number}/post", named={"number": number}, body=body, once=True)

    def preview_account_policies(self, id_: UUID, body: policy_shapes.AccountChange) -> policy_shapes.PolicyPreview:
        """What changing a part of an account's policies reaches."""
        return self.ask(
            policy_shapes.PolicyPreview, "POST", "/accounts/{id}/policies/preview", named={"id": id_}, body=body
        )

    def preview_buffer(self, body: buffers.WantedBuffer) -> buffers.BufferPreview:
        """What a buffer would change."""
        return self.ask(buffers.BufferPreview, "POST", "/buffers/preview", body=body)

    def preview_policies(self, body: policy_shapes.ShopChange) -> policy_shapes.PolicyPreview:
        """What changing a part of the shop's policies reaches."""
        return self.ask(policy_shapes.PolicyPreview, "POST", "/policies/preview", body=body)

    def preview_replay(self, body: letters.Replay) -> letters.Preview:
        """What a replay would do."""
        return self.ask(letters.Preview, "POST", "/letters/replay/preview", body=body)

    def print_channel_labels(self, body: channel_labels.ChannelSheet) -> channel_labels.ChannelSheets:
        """Several labels of channels as one PDF."""
        return self.ask(channel_labels.ChannelSheets, "POST", "/channel-labels/print", body=body)

    def print_labels(self, body: manifests.Sheet) -> manifests.Sheets:
        """Several labels in one PDF."""
        return self.ask(manifests.Sheets, "POST", "/labels/print", body=body)

    def put_account_warehouses(self, id_: UUID, body: warehouses.Draw) -> warehouses.Drawn:
        """Say which warehouses an account draws from."""
        return self.ask(warehouses.Drawn, "PUT", "/accounts/{id}/warehouses", named={"id": id_}, body=body)

    def put_areas(self, id_: UUID, body: warehouses.Areas) -> warehouses.WholeWarehouse:
        """Say which areas a warehouse serves first, or last."""
        return self.ask(warehouses.WholeWarehouse, "PUT", "/warehouses/{id}/areas", named={"id": id_}, body=body)

    def put_buffer(self, body: buffers.WantedBuffer) -> buffers.Changed:
        """Set a buffer."""
        return self.ask(buffers.Changed, "PUT", "/buffers", body=body)

    def put_buyer_message(self, body: policies.Words) -> policies.BuyerMessage:
        """Keep the shop's own words."""
        return self.ask(policies.BuyerMessage, "PUT", "/buyer-messages", body=body)

    def put_kit(self, code: str, body: kits.Recipe) -> kits.Kit:
        """Make a SKU a kit."""
        return self.ask(kits.Kit, "PUT", "/skus/{code}/kit", named={"code": code}, body=body)

    def put_link(self, id_: UUID, body: listings.Link) -> listings.Listing:
        """Link a listing to a SKU."""
        return self.ask(listings.Listing, "PUT", "/listings/{id}/link", named={"id": id_}, body=body)

    def put_playbook(self, kind: str, body: processes.NewPlaybook) -> processes.Playbook:
        """Keep the shop's own process."""
        return self.ask(processes.Playbook, "PUT", "/playbooks/{kind}", named={"kind": kind}, body=body)

    def put_purchase_lines(self, id_: UUID, body: purchases.Lines) -> purchases.Purchase:
        """A draft's lines."""
        return self.ask(purchases.Purchase, "PUT", "/purchases/{id}/lines", named={"id": id_}, body=body)

    def put_sku(self, code: str, body: skus.Facts) -> skus.WholeSku:
        """Make a SKU, or say anew what it is."""
        return self.ask(skus.WholeSku, "PUT", "/skus/{code}", named={"code": code}, body=body)

    def quote_freight(self, id_: UUID) -> freight.Quoted:
        """Quote an order's freight at every carrier."""
        return self.ask(freight.Quoted, "POST", "/orders/{id}/freight", named={"id": id_}, once=True)

    def reallocate_order(self, id_: UUID) -> handling.Reserved:
        """Reserve an order afresh."""
        return self.ask(handling.Reserved, "POST", "/orders/{id}/reallocate", named={"id": id_}, once=True)

    def reauthorize_account(self, id_: UUID, body: connecting.Again) -> connecting.Leave:
        """Start the authorization of an account again."""
        return self.ask(connecting.Leave, "POST", "/accounts/{id}/authorize", named={"id": id_}, body=body, once=True)

    def receive_purchase(self, id_: UUID, body: purchases.Arrived) -> purchases.PurchaseReceived:
        """Units came."""
        return self.ask(
            purchases.PurchaseReceived, "POST", "/purchases/{id}/receipts", named={"id": id_}, body=body, once=True
        )

    def receive_return(self, body: returns.Back) -> returns.ReturnReceived:
        """What became of what came back."""
        return self.ask(returns.ReturnReceived, "POST", "/returns/receipts", body=body, once=True)

    def receive_transfer(self, number: int, body: transfers.Arriving) -> transfers.Transfer:
        """Units arrive."""
        return self.ask(
            transfers.Transfer, "POST", "/transfers/{number}/receipts", named={"number": number}, body=body, once=True
        )

    def reconnect_account(self, id_: UUID, body: connecting.Reconnection) -> connecting.Connected:
        """Give an account new keys."""
        return self.ask(
            connecting.Connected, "POST", "/accounts/{id}/reconnect", named={"id": id_}, body=body, once=True
        )

    def register_webhooks(self, id_: UUID) -> connecting.Registered:
        """Register an account's webhooks at the channel again."""
        return self.ask(connecting.Registered, "POST", "/accounts/{id}/webhooks", named={"id": id_})

    def release_listing(self, id_: UUID) -> listings.Listing:
        """Let a zero go that the brake holds."""
        return self.ask(listings.Listing, "POST", "/listings/{id}/release", named={"id": id_}, once=True)

    def remove_event_endpoint(self, id_: UUID) -> None:
        """Remove an endpoint."""
        self.do("DELETE", "/event-endpoints/{id}", named={"id": id_})

    def remove_notice_way(self, id_: UUID) -> None:
        """Remove a way of notices."""
        self.do("DELETE", "/notice-ways/{id}", named={"id": id_})

    def remove_order_note(self, id_: UUID) -> None:
        """Remove a note that this key made."""
        self.do("DELETE", "/order-notes/{id}", named={"id": id_})

    def remove_person(self, id_: UUID, query: people.Removal | None = None) -> people.Removed:
        """Take a person's access to this shop away."""
        return self.ask(people.Removed, "DELETE", "/people/{id}", query=query, named={"id": id_})

    def rename_account(self, id_: UUID, body: connecting.Rename) -> accounts.Account:
        """Give an account another name."""
        return self.ask(accounts.Account, "PATCH", "/accounts/{id}", named={"id": id_}, body=body)

    def reopen_alert(self, id_: UUID) -> alerts.History:
        """Reopen an alert."""
        return self.ask(alerts.History, "POST", "/alerts/{id}/reopen", named={"id": id_}, once=True)

    def replay_event(self, id_: UUID) -> events.DeliveryWhole:
        """Replay an event."""
        return self.ask(events.DeliveryWhole, "POST", "/event-deliveries/{id}/replay", named={"id": id_})

    def replay_failed_events(self, id_: UUID, body: events.Since) -> events.Replayed:
        """Replay what failed since an instant."""
        return self.ask(events.Replayed, "POST", "/event-endpoints/{id}/replay", named={"id": id_}, body=body)

    def replay_letters(self, body: letters.Replay) -> letters.LettersReplayed:
        """Put back to work."""
        return self.ask(letters.LettersReplayed, "POST", "/letters/replay", body=body, once=True)

    def reset_buyer_message(self, query: policies.Which) -> policies.BuyerMessage:
        """Go back to the words that come with the hub."""
        return self.ask(policies.BuyerMessage, "DELETE", "/buyer-messages", query=query)

    def reset_playbook(self, kind: str) -> processes.Playbook:
        """Go back to the process that comes with the hub."""
        return self.ask(processes.Playbook, "DELETE", "/playbooks/{kind}", named={"kind": kind})

    def resume_account(self, id_: UUID) -> accounts.Account:
        """Resume an account."""
        return self.ask(accounts.Account, "POST", "/accounts/{id}/resume", named={"id": id_}, once=True)

    def resume_import(self, number: int) -> imports.Written:
        """Write what is left of an import of stock."""
        return self.ask(imports.Written, "POST", "/imports/{number}/resume", named={"number": number})

    def retry_listing(self, id_: UUID) -> listings.Listing:
        """Try a listing again that the channel refused."""
        return self.ask(listings.Listing, "POST", "/listings/{id}/retry", named={"id": id_}, once=True)

    def revoke_approval(self, id_: UUID, body: approvals.AskedScope) -> approvals.Approved:
        """Take back the approval of an account, or of a part of it."""
        return self.ask(approvals.Approved, "POST", "/accounts/{id}/revoke", named={"id": id_}, body=body, once=True)

    def rotate_event_secret(self, id_: UUID) -> events.Secret:
        """Replace the secret."""
        return self.ask(events.Secret, "POST", "/event-endpoints/{id}/rotate", named={"id": id_})

    def send_purchase(self, id_: UUID, body: purchases.Sent) -> purchases.Purchase:
        """The order was sent to the supplier."""
        return self.ask(purchases.Purchase, "POST", "/purchases/{id}/send", named={"id": id_}, body=body, once=True)

    def send_transfer(self, number: int, body: transfers.Leaving) -> transfers.Transfer:
        """The units leave."""
        return self.ask(
            transfers.Transfer, "POST", "/transfers/{number}/send", named={"number": number}, body=body, once=True
        )

    def set_difference_rules(self, id_: UUID, body: listing_deeds.AskedRules) -> listing_deeds.Rules:
        """Change what is done by itself about each difference of an account."""
        return self.ask(listing_deeds.Rules, "PATCH", "/accounts/{id}/difference-rules", named={"id": id_}, body=body)

    def settle_open_orders(self, id_: UUID, body: stranded.Settlement) -> stranded.OrdersSettled:
        """Say what became of a disconnected account's open orders."""
        return self.ask(
            stranded.OrdersSettled, "POST", "/accounts/{id}/open-orders/settle", named={"id": id_}, body=body, once=True
        )

    def show_event_delivery(self, id_: UUID) -> events.DeliveryWhole:
        """One delivery, with every attempt."""
        return self.ask(events.DeliveryWhole, "GET", "/event-deliveries/{id}", named={"id": id_})

    def sign_manifest(self, body: manifests.Signature) -> manifests.Manifest:
        """The carrier took them: sign the manifest."""
        return self.ask(manifests.Manifest, "POST", "/manifests", body=body, once=True)

    def snooze_alert(self, id_: UUID, body: alerts.Later) -> alerts.History:
        """Put an alert off."""
        return self.ask(alerts.History, "POST", "/alerts/{id}/snooze", named={"id": id_}, body=body, once=True)

    def test_event_endpoint(self, id_: UUID) -> events.DeliveryWhole:
        """Send a test event."""
        return self.ask(events.DeliveryWhole, "POST", "/event-endpoints/{id}/test", named={"id": id_})

    def test_notice_way(self, id_: UUID) -> notices.Tried:
        """Send a test through a way."""
        return self.ask(notices.Tried, "POST", "/notice-ways/{id}/test", named={"id": id_})

    def tick_alert(self, id_: UUID, body: alerts.Ticked) -> alerts.History:
        """Ticks a step as done, or not."""
        return self.ask(alerts.History, "PUT", "/alerts/{id}/steps", named={"id": id_}, body=body)

    def undo_import(self, number: int, body: imports.TakenBack) -> imports.ImportUndone:
        """Take an import of stock back."""
        return self.ask(imports.ImportUndone, "POST", "/imports/{number}/undo", named={"number": number}, body=body)

    def undo_sku_import(self, number: int) -> imports.SkusUndone:
        """Take an import of SKUs back."""
        return self.ask(imports.SkusUndone, "POST", "/sku-imports/{number}/undo", named={"number": number})

    def withdraw_invitation(self, id_: UUID) -> None:
        """Withdraw an invitation."""
        self.do("DELETE", "/invitations/{id}", named={"id": id_})
