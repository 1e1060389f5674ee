"""CSV files as spreadsheets in Brazil write and open them. Pure."""

FORMULA = ("=", "+", "-", "@", "\t", "\r")
MARK = "'"  # a spreadsheet shows what follows as text


def cell(value: object) -> str:
    """A cell that a spreadsheet does not take for a formula: channels tell titles. Nothing for null."""
    told = "" if value is None else str(value)
    return f"{MARK}{told}" if told.startswith(FORMULA) and not told[1:].replace(".", "", 1).isdigit() else told


def plain(told: str) -> str:
    """What `cell` wrote, as it was."""
    return told[1:] if told.startswith(MARK) and told[1:].startswith(FORMULA) else told
