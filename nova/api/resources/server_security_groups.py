"""Security groups of a server, as Neutron shows them to who asks, in Compute's older words."""

from collections.abc import Mapping
from typing import Any

from nova.clients.protocols import Document
from nova.policies import security_groups as rules
from nova.rest import types
from nova.rest.resource import Resource, get

_PORTS = {'tcp': (1, 65535), 'udp': (1, 65535)}
"""What a rule without ports means, by protocol; others have none."""


class ServerSecurityGroups(Resource):

    @get('/servers/{server_id}/os-security-groups', rule=rules.LIST, returns=types.OBJECT)
    def index(self, req: Any, instance: Any) -> dict[str, Any]:
        """List the security groups of a server's ports."""
        found, names = req.clients.network.groups_of(req.context, instance.uuid)
        return {'security_groups': [_group(group, names) for group in found]}


def _group(group: Document, sources: Mapping[str, Document]) -> dict[str, Any]:
    return {'id': group['id'], 'name': group['name'], 'description': group.get('description') or '',
            'tenant_id': group['project_id'],
            'rules': [_rule(rule, sources) for rule in group.get('security_group_rules', ())
                      if rule['direction'] == 'ingress']}


def _rule(rule: Document, sources: Mapping[str, Document]) -> dict[str, Any]:
    """One rule for what comes in; Compute's words know no other."""
    protocol, low, high = rule['protocol'], rule['port_range_min'], rule['port_range_max']
    if protocol and low is None and high is None:
        low, high = _PORTS.get(protocol.lower(), (-1, -1))
    source = rule['remote_group_id']
    group = sources.get(source, {'name': source, 'project_id': rule.get('project_id')}) if source else None
    return {'id': rule['id'], 'parent_group_id': rule['security_group_id'], 'ip_protocol': protocol,
            'from_port': low, 'to_port': high,
            'group': {'name': group['name'], 'tenant_id': group['project_id']} if group else {},
            'ip_range': {} if group else {'cidr': rule['remote_ip_prefix'] or _anywhere(rule)}}


def _anywhere(rule: Document) -> str:
    return '::/0' if rule.get('ethertype') == 'IPv6' else '0.0.0.0/0'
