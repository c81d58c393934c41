"""Rules: server topology."""

from nova.policies.base import ADMIN, PROJECT_READER_OR_ADMIN, Rule

HOST_INDEX = Rule('compute:server:topology:host:index', ADMIN, 'See the host parts of a NUMA topology.')
INDEX = Rule('compute:server:topology:index', PROJECT_READER_OR_ADMIN, 'See the NUMA topology of a server.')
