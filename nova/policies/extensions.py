"""Rules: extensions."""

from nova.policies.base import ANY, Rule

EXTENSIONS = Rule('os_compute_api:extensions', ANY, 'List extensions.')
