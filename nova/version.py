"""What this product calls itself, and its versions."""

from importlib import metadata

PRODUCT = 'OpenStack Nova'
VENDOR = 'OpenStack Foundation'

SERVICE_VERSION = 1
"""Reported in every heartbeat; grows when services must know what the others can do."""

OLDEST_SUPPORTED_SERVICE = 1
"""The service version of the previous release; older computes keep new services from starting."""


def package() -> str:
    """Version of the installed package; ``0`` when it runs from a tree that was never installed."""
    try:
        return metadata.version('nova')
    except metadata.PackageNotFoundError:
        return '0'
