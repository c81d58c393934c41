"""A deployment with two cells, and servers in it."""

from nova.tests.fixtures.deployed import cloud, flavor, servers

__all__ = ['cloud', 'flavor', 'servers']
