"""The seller's back office, built on the core, never under it."""
