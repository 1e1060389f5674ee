"""The GraphQL operations of 2026-04. A query may cost 1,000 points, and each object costs one: pages are small."""

_MONEY = "{ shopMoney { amount currencyCode } }"
_PAGE = "pageInfo { hasNextPage endCursor }"
_ADDRESS = "{ name address1 address2 city company provinceCode countryCodeV2 zip phone }"
_LINES = f"""{{ nodes {{ id sku name quantity currentQuantity product {{ id }} variant {{ id }}
    originalUnitPriceSet {_MONEY} discountAllocations {{ allocatedAmountSet {_MONEY} }} }} {_PAGE} }}"""
_SENT = f"{{ nodes {{ quantity lineItem {{ id }} }} {_PAGE} }}"
_BACK = f"{{ nodes {{ quantity restockType lineItem {{ id }} }} {_PAGE} }}"

ORDER = f"""query Order($id: ID!) {{ order(id: $id) {{
  id legacyResourceId name createdAt processedAt updatedAt cancelledAt closedAt cancelReason currencyCode taxesIncluded
  displayFinancialStatus displayFulfillmentStatus email phone
  totalPriceSet {_MONEY} totalDiscountsSet {_MONEY} totalTaxSet {_MONEY} totalTipReceivedSet {_MONEY}
  originalTotalDutiesSet {_MONEY} originalTotalAdditionalFeesSet {_MONEY} totalRefundedSet {_MONEY}
  shippingLines(first: 5) {{ nodes {{ title originalPriceSet {_MONEY} discountedPriceSet {_MONEY} }} }}
  customAttributes {{ key value }}
  localizedFields(first: 5, countryCodes: [BR]) {{ nodes {{ key value }} }}
  customer {{ id firstName lastName defaultEmailAddress {{ emailAddress }} defaultPhoneNumber {{ phoneNumber }} }}
  shippingAddress {_ADDRESS} billingAddress {_ADDRESS}
  transactions(first: 10) {{ kind status processedAt }}
  fulfillments(first: 1) {{ id }} refunds(first: 1) {{ id }}
  lineItems(first: 40) {_LINES} }} }}"""
MOVES = f"""query OrderMoves($id: ID!) {{ order(id: $id) {{
  fulfillments(first: 10) {{ id status displayStatus trackingInfo(first: 5) {{ company number url }}
    fulfillmentLineItems(first: 15) {_SENT} }}
  refunds(first: 10) {{ id createdAt refundLineItems(first: 15) {_BACK} }} }} }}"""
MORE = f"""query More($id: ID!, $after: String) {{ node(id: $id) {{ __typename
  ... on Order {{ lineItems(first: 100, after: $after) {_LINES} }}
  ... on Fulfillment {{ fulfillmentLineItems(first: 100, after: $after) {_SENT} }}
  ... on Refund {{ refundLineItems(first: 100, after: $after) {_BACK} }} }} }}"""
ORDERS = f"""query Orders($first: Int!, $after: String, $query: String, $sort: OrderSortKeys!, $reverse: Boolean!) {{
  orders(first: $first, after: $after, query: $query, sortKey: $sort, reverse: $reverse) {{
    nodes {{ legacyResourceId updatedAt }} {_PAGE} }} }}"""
ORDER_OF = """query OrderOfFulfillmentOrder($id: ID!) { node(id: $id) { __typename
  ... on FulfillmentOrder { orderId } } }"""

_LEVEL = """{ isActive updatedAt location { id } quantities(names: ["available"]) { name quantity updatedAt } }"""
_ITEM = f"{{ id tracked inventoryLevel(locationId: $location) {_LEVEL} }}"
_VARIANT = f"id sku barcode title price inventoryPolicy inventoryQuantity inventoryItem {_ITEM}"
_PRODUCT = "id title status onlineStoreUrl hasOnlyDefaultVariant"
VARIANTS = f"""query Variants($location: ID!, $after: String) {{
  productVariants(first: 100, after: $after, sortKey: ID) {{
    nodes {{ {_VARIANT} product {{ {_PRODUCT} }} }} {_PAGE} }} }}"""
PRODUCT = f"""query Product($id: ID!, $location: ID!, $after: String) {{ product(id: $id) {{ {_PRODUCT}
  variants(first: 100, after: $after) {{ nodes {{ {_VARIANT} }} {_PAGE} }} }} }}"""
LEVELS = f"""query Levels($ids: [ID!]!, $location: ID!) {{ nodes(ids: $ids) {{ __typename
  ... on InventoryItem {_ITEM} }} }}"""
SET = """mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id changes { name delta quantityAfterChange item { id } location { id } } }
    userErrors { code field message } } }"""

SHOP = """query Shop { shop { id name myshopifyDomain currencyCode }
  locations(first: 100) { nodes { id name isActive fulfillsOnlineOrders } } }"""

PARCELS = """query Parcels($id: ID!, $lines: Boolean!) { order(id: $id) {
  fulfillmentOrders(first: 10) { nodes { id status assignedLocation { location { id } }
    lineItems(first: 20) @include(if: $lines) { nodes { id remainingQuantity lineItem { id } } } } }
  fulfillments(first: 20) { id status trackingInfo(first: 5) { number } } } }"""
FULFIL = """mutation Fulfil($fulfillment: FulfillmentInput!) { fulfillmentCreate(fulfillment: $fulfillment) {
  fulfillment { id status } userErrors { field message } } }"""
TRACK = """mutation Track($id: ID!, $info: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $id, trackingInfoInput: $info, notifyCustomer: true) {
    fulfillment { id status } userErrors { field message } } }"""
EVENT = """mutation Event($event: FulfillmentEventInput!) { fulfillmentEventCreate(fulfillmentEvent: $event) {
  fulfillmentEvent { id status } userErrors { field message } } }"""

HOOKS = """query Hooks { webhookSubscriptions(first: 250) { nodes { id topic uri format } } }"""
HOOK = """mutation Hook($topic: WebhookSubscriptionTopic!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: $hook) {
    webhookSubscription { id } userErrors { field message } } }"""
HOOK_AGAIN = """mutation HookAgain($id: ID!, $hook: WebhookSubscriptionInput!) {
  webhookSubscriptionUpdate(id: $id, webhookSubscription: $hook) {
    webhookSubscription { id } userErrors { field message } } }"""
HOOK_GONE = """mutation HookGone($id: ID!) { webhookSubscriptionDelete(id: $id) {
  deletedWebhookSubscriptionId userErrors { field message } } }"""

OPERATIONS = (ORDER, MOVES, MORE, ORDERS, ORDER_OF, VARIANTS, PRODUCT, LEVELS, SET, SHOP, PARCELS, FULFIL, TRACK, EVENT,
              HOOKS, HOOK, HOOK_AGAIN, HOOK_GONE)  # fmt: skip
