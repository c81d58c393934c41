"""Entry points. Nothing is imported here: each decides on its concurrency first."""
