"""Small local stand-ins that speak the HTTP APIs of identity, image, network and volume to unmodified clients.

For standalone and for tests. It imports only `nova.common`; only standalone, tools and tests import it.
"""
