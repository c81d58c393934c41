"""What this product calls itself, and its versions."""

from nova.common.package import version as package

__all__ = ['OLDEST_SUPPORTED_SERVICE', 'PRODUCT', 'SERVICE_VERSION', 'VENDOR', 'package']

PRODUCT = 'OpenStack Nova'
VENDOR = 'OpenStack Foundation'

SERVICE_VERSION = 2
"""Reported in every heartbeat; one more with each release (`nova.release`)."""

OLDEST_SUPPORTED_SERVICE = 1
"""The service version of the release before; older computes keep new services from starting."""
