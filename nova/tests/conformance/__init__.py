"""Walks a running Compute API against what it should be; ``tools/conformance`` runs it."""
