"""The nouns of Placement, each with the SQL that reads and writes it."""
