"""Security groups of the network stand-in: a default one for each project, rules, and what is refused."""

import ipaddress

from nova.common.jsonutil import JsonObject
from nova.sandbox import netkinds as n
from nova.sandbox import service
from nova.sandbox.store import Document, Rows

_RULE_FIELDS = ('direction', 'ethertype', 'protocol', 'port_range_min', 'port_range_max', 'remote_ip_prefix',
                'remote_group_id')
_DEFAULT = 'default'


def default_group(rows: Rows, project: str) -> str:
    """Id of a project's default group, which is made when it is first needed."""
    found = next(iter(rows.list(n.GROUP, owner=project, name=_DEFAULT)), None)
    if found is None:
        found = _insert(rows, project, {'name': _DEFAULT, 'description': 'Default security group'})
        for ethertype in ('IPv4', 'IPv6'):
            _insert_rule(rows, found, {'direction': 'ingress', 'ethertype': ethertype,
                                       'remote_group_id': found['id']})
    return found['id']


def _insert(rows: Rows, project: str, fields: Document) -> Document:
    group = rows.insert(n.GROUP, n.stamp({
        'project_id': project, 'tenant_id': project, 'stateful': True, 'shared': False, **fields}))
    for ethertype in ('IPv4', 'IPv6'):
        _insert_rule(rows, group, {'direction': 'egress', 'ethertype': ethertype})
    return group


def _insert_rule(rows: Rows, group: Document, fields: Document) -> Document:
    rule = n.stamp({
        'project_id': group['project_id'], 'tenant_id': group['project_id'], 'security_group_id': group['id'],
        'remote_address_group_id': None, 'normalized_cidr': _network(fields.get('remote_ip_prefix')),
        'belongs_to_default_sg': group['name'] == _DEFAULT,
        **{name: fields.get(name) for name in _RULE_FIELDS}, 'description': fields.get('description') or ''})
    del rule['name'], rule['tags']
    return rows.insert(n.RULE, rule)


def _network(prefix: str | None) -> str | None:
    return str(ipaddress.ip_interface(prefix).network) if prefix else None


def shown(rows: Rows, group: Document) -> Document:
    """A group with its rules."""
    return {**group, 'security_group_rules': rows.list(n.RULE, parent=group['id'])}


def create(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    name = body.get('name') or ''
    if name == _DEFAULT:
        raise n.SecurityGroupDefaultAlreadyExists()
    default_group(rows, project)
    return _insert(rows, project, {'name': name, 'description': body.get('description') or '',
                                   'stateful': bool(body.get('stateful', True))})


def update(rows: Rows, caller: service.Caller, group: Document, body: Document) -> Document:
    change: Document = {name: body[name] for name in ('name', 'description', 'stateful') if name in body}
    return rows.update(n.GROUP, n.touch({**group, **change}))


def delete(rows: Rows, caller: service.Caller, group: Document) -> None:
    if group['name'] == _DEFAULT and not caller.is_admin:
        raise n.SecurityGroupCannotRemoveDefault()
    ident = group['id']
    if any(ident in port['security_groups'] for port in rows.list(n.PORT, owner=group['project_id'])):
        raise n.SecurityGroupInUse(id=ident)
    rows.delete(n.GROUP, ident)
    rows.delete_children(n.RULE, ident)


def create_rule(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    group = rows.get(n.GROUP, str(body.get('security_group_id')))
    if group is None or not caller.owns(group):
        raise n.SecurityGroupNotFound(id=body.get('security_group_id'))
    rule = _rule(body)
    remote = rule['remote_group_id']
    if remote and rows.get(n.GROUP, remote) is None:
        raise n.SecurityGroupNotFound(id=remote)
    for other in rows.list(n.RULE, parent=group['id']):
        if all(other[name] == rule[name] for name in _RULE_FIELDS):
            raise n.SecurityGroupRuleExists(id=other['id'])
    return _insert_rule(rows, group, {**rule, 'description': body.get('description')})


def _rule(body: Document) -> Document:
    rule: JsonObject = {name: body.get(name) for name in _RULE_FIELDS}
    rule['ethertype'] = {'ipv4': 'IPv4', 'ipv6': 'IPv6'}.get(str(rule['ethertype'] or 'IPv4').lower())
    if rule['direction'] not in ('ingress', 'egress') or rule['ethertype'] is None:
        raise n.HTTPBadRequest(why='Invalid input. Reason: direction must be ingress or egress, ethertype '
                                   'IPv4 or IPv6.')
    if rule['protocol'] is not None:
        rule['protocol'] = str(rule['protocol']).lower()
    low, high = rule['port_range_min'], rule['port_range_max']
    for name in ('port_range_min', 'port_range_max'):
        if rule[name] is not None and (not isinstance(rule[name], int) or not 0 <= rule[name] <= 65535):
            raise n.HTTPBadRequest(why=f"Invalid input for {name}. Reason: '{rule[name]}' is not a port.")
    if low is not None and high is not None and low > high and rule['protocol'] in ('tcp', 'udp', '6', '17'):
        raise n.error(400, 'SecurityGroupInvalidPortRange',
                      'For TCP/UDP protocols, port_range_min must be <= port_range_max')()
    if rule['remote_ip_prefix'] and rule['remote_group_id']:
        raise n.error(400, 'SecurityGroupMultipleRemoteEntites',
                      'Only one remote entity may be provided per rule.')()
    if rule['remote_ip_prefix']:
        try:
            rule['remote_ip_prefix'] = str(ipaddress.ip_interface(str(rule['remote_ip_prefix'])))
        except ValueError:
            raise n.InvalidInput(why=f"'{rule['remote_ip_prefix']}' is not a valid IP subnet") from None
    return rule
