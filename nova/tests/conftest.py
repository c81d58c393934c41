"""Concurrency is chosen before anything else is imported; ``NOVA_CONCURRENCY=eventlet`` runs all on it."""

from nova.common import threads

threads.choose()

pytest_plugins = ['nova.tests.fixtures.databases']
