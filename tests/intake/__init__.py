"""The door: what knocks, and what is kept of it."""
