"""The web edge: webhooks, pages and the API."""
