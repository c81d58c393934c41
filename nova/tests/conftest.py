"""Concurrency is chosen before anything else is imported: ``NOVA_CONCURRENCY=eventlet`` runs the suite on it."""

from nova.common import threads

threads.choose()
