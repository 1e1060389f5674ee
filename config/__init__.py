"""Settings, logging and the schedule; read at the edges and passed in."""
