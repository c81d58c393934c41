"""Concurrency is chosen before anything else is imported; ``NOVA_CONCURRENCY=eventlet`` runs all on it."""

import os
import random

import hypothesis

from nova.common import threads

threads.choose()

# How long an example takes says how busy the machine is.
hypothesis.settings.register_profile('nova', deadline=None,
                                     suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile('nova')

pytest_plugins = ['nova.tests.fixtures.databases', 'nova.tests.fixtures.verdicts']


def pytest_collection_modifyitems(config, items):
    """What is slow, or needs servers or a cluster, runs only when the marker expression names it."""
    unnamed = {name for name in ('slow', 'real', 'cluster', 'realcloud', 'libvirt')
               if name not in config.option.markexpr}
    left = [item for item in items if unnamed & {mark.name for mark in item.iter_markers()}]
    if left:
        items[:] = [item for item in items if item not in set(left)]
        config.hook.pytest_deselected(items=left)
    seed = os.environ.get('NOVA_TEST_ORDER')
    if seed:
        in_another_order(items, seed)


def in_another_order(items, seed):
    """Have files run in an order drawn by lot, each with its tests in their own order."""
    lot = random.Random(seed)
    drawn = {path: lot.random() for path in sorted({item.path for item in items})}
    items.sort(key=lambda item: drawn[item.path])
