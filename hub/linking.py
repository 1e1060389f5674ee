"""Which SKU a listing is. Pure."""
