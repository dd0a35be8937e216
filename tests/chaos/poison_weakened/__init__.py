"""A Finstage whose doors stand open: nothing is refused, and what the database refuses takes all others along."""
