"""What this product calls itself, and its versions."""

from nova.common.package import version as package

__all__ = ['OLDEST_SUPPORTED_SERVICE', 'PRODUCT', 'SERVICE_VERSION', 'VENDOR', 'package']

PRODUCT = 'OpenStack Nova'
VENDOR = 'OpenStack Foundation'

SERVICE_VERSION = 1
"""Reported in every heartbeat; grows when services must know what the others can do."""

OLDEST_SUPPORTED_SERVICE = 1
"""The service version of the previous release; older computes keep new services from starting."""
