"""Security groups and their rules up to 2.35; those of a server for ever."""

import ipaddress
from collections.abc import Mapping

from nova import errors, objects
from nova.api import passing
from nova.api.request import Request
from nova.common import problem, uuids
from nova.common.jsonutil import JsonObject
from nova.policies import security_groups as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.rest.resource import Body, Resource, delete, get, post, put

_UNTIL = '2.35'
_GROUPS, _RULES = '/v2.0/security-groups', '/v2.0/security-group-rules'
_PORTS = {'tcp': (1, 65535), 'udp': (1, 65535)}
"""What a rule without ports means, by protocol; others have none."""
_ANY = -1


class GroupQuery(Document):
    limit = Field(types.LIMIT, query='2.1')
    offset = Field(types.NON_NEGATIVE, query='2.1')
    all_tenants = Field(types.TEXT, 'Those of every project, for administrators.', query='2.1')


class GroupBody(Document):
    name = Field(types.text(0, 255), required=True, body='2.1')
    description = Field(types.text(0, 255), required=True, body='2.1')


class RuleBody(Document):
    parent_group_id = Field(types.UUID, 'The group that gets the rule.', required=True, body='2.1')
    ip_protocol = Field(types.ANY, 'tcp, udp or icmp.', body='2.1')
    from_port = Field(types.ANY, body='2.1')
    to_port = Field(types.ANY, body='2.1')
    cidr = Field(types.ANY, 'From where.', body='2.1')
    group_id = Field(types.nullable(types.UUID), 'Or from servers of which group.', body='2.1')


def _network(req: Request, method: str, path: str, body: JsonObject | None = None,
             query: Mapping[str, str] | None = None) -> JsonObject:
    """What the network service answers.

    Raises:
        Invalid: the request makes no sense there, or not now: a rule is there already, a group is in use.
    """
    try:
        return passing.network(req, method, path, body, query)
    except errors.Conflict as error:
        raise errors.Invalid(error.message) from error


def _id(ident: str) -> str:
    if not uuids.is_uuid(ident):
        raise problem.BadRequest(f'{ident!r} is not the id of a security group.')
    return ident


class SecurityGroups(Resource):

    @get('/os-security-groups', until=_UNTIL, rule=rules.GET, query=GroupQuery, returns=types.OBJECT)
    def index(self, req: Request) -> JsonObject:
        """List the project's security groups."""
        every = req.context.is_admin and 'all_tenants' in req.query
        owner = {} if every else {'project_id': req.project_id}
        found = sorted(_network(req, 'GET', _GROUPS, query=owner)['security_groups'],
                       key=lambda one: one['name'])
        start, limit = int(req.query.get('offset', 0)), req.paging()[0]
        return {'security_groups': _shown(req, found[start:start + limit])}

    @post('/os-security-groups', until=_UNTIL, ok=200, rule=rules.CREATE,
          body=Body(GroupBody, under='security_group'), returns=types.OBJECT)
    def create(self, req: Request) -> JsonObject:
        """Make a security group."""
        return _answer(req, _network(req, 'POST', _GROUPS, {'security_group': _wanted(req)}))

    @get('/os-security-groups/{ident}', until=_UNTIL, rule=rules.SHOW, returns=types.OBJECT)
    def show(self, req: Request, ident: str) -> JsonObject:
        """Show a security group."""
        return _answer(req, _network(req, 'GET', f'{_GROUPS}/{_id(ident)}'))

    @put('/os-security-groups/{ident}', until=_UNTIL, rule=rules.UPDATE,
         body=Body(GroupBody, under='security_group'), returns=types.OBJECT)
    def update(self, req: Request, ident: str) -> JsonObject:
        """Rename a security group."""
        return _answer(req, _network(req, 'PUT', f'{_GROUPS}/{_id(ident)}',
                                            {'security_group': _wanted(req)}))

    @delete('/os-security-groups/{ident}', until=_UNTIL, ok=202, rule=rules.DELETE)
    def remove(self, req: Request, ident: str) -> None:
        """Delete a security group."""
        _network(req, 'DELETE', f'{_GROUPS}/{_id(ident)}')


class SecurityGroupRules(Resource):

    @post('/os-security-group-rules', until=_UNTIL, ok=200, rule=rules.RULE_CREATE,
          body=Body(RuleBody, under='security_group_rule'), returns=types.OBJECT)
    def create(self, req: Request) -> JsonObject:
        """Let something into the servers of a group."""
        made = _network(req, 'POST', _RULES, {'security_group_rule': neutron_rule(
            req.body['security_group_rule'])})['security_group_rule']
        return {'security_group_rule': _rule(made, _named(req, [made]))}

    @delete('/os-security-group-rules/{ident}', until=_UNTIL, ok=202, rule=rules.RULE_DELETE)
    def remove(self, req: Request, ident: str) -> None:
        """Take a rule away."""
        _network(req, 'DELETE', f'{_RULES}/{_id(ident)}')


class ServerSecurityGroups(Resource):

    @get('/servers/{server_id}/os-security-groups', rule=rules.LIST, returns=types.OBJECT)
    def index(self, req: Request, instance: objects.Instance) -> JsonObject:
        """List the security groups of a server's ports."""
        found, names = req.clients.network.groups_of(req.context, instance.uuid)
        return {'security_groups': [_group(group, names) for group in found]}


def neutron_rule(wanted: JsonObject) -> JsonObject:
    """A rule in the words of the network service.

    Raises:
        BadRequest: it makes no sense.
    """
    protocol = wanted.get('ip_protocol')
    low, high = _port(wanted.get('from_port')), _port(wanted.get('to_port'))
    made: JsonObject = {
        'direction': 'ingress', 'security_group_id': wanted['parent_group_id'],
        'protocol': str(protocol).lower() if protocol is not None else None, 'ethertype': 'IPv4',
        'port_range_min': low, 'port_range_max': high}
    group, cidr = wanted.get('group_id'), wanted.get('cidr')
    if group is not None:
        return {**made, 'remote_group_id': group}
    if protocol is None or (low is None) != (high is None):
        raise problem.BadRequest('A rule needs ip_protocol, from_port and to_port.')
    source = str(cidr) if cidr is not None else '0.0.0.0/0'
    try:
        version = ipaddress.ip_network(source, strict=False).version
    except ValueError:
        raise problem.BadRequest(f'Invalid cidr: {cidr!r}') from None
    return {**made, 'remote_ip_prefix': source, 'ethertype': f'IPv{version}'}


def _port(value: object) -> int | None:
    """A port or kind of ICMP; -1 and nothing are any."""
    if value is None:
        return None
    try:
        number = int(str(value))
    except ValueError:
        raise problem.BadRequest(f'{value!r} is not a port.') from None
    if not _ANY <= number <= 65535:
        raise problem.BadRequest(f'{value!r} is not a port.')
    return None if number == _ANY else number


def _wanted(req: Request) -> dict[str, str]:
    wanted = req.body['security_group']
    if not wanted['name'].strip():
        raise problem.BadRequest('A security group needs a name.')
    return {'name': wanted['name'], 'description': wanted['description']}


def _answer(req: Request, answer: JsonObject) -> JsonObject:
    return {'security_group': _shown(req, [answer['security_group']])[0]}


def _shown(req: Request, groups: list[JsonObject]) -> list[JsonObject]:
    names = {group['id']: group for group in groups}
    names |= _named(req, [rule for group in groups for rule in group.get('security_group_rules', ())], names)
    return [_group(group, names) for group in groups]


def _named(req: Request, found: list[JsonObject], known: Mapping[str, JsonObject] = {}
           ) -> dict[str, JsonObject]:
    """The groups that rules name, by id."""
    strange = {rule['remote_group_id'] for rule in found if rule['remote_group_id']} - set(known)
    if not strange:
        return {}
    every = _network(req, 'GET', _GROUPS)['security_groups']
    return {group['id']: group for group in every if group['id'] in strange}


def _group(group: JsonObject, sources: Mapping[str, JsonObject]) -> JsonObject:
    return {'id': group['id'], 'name': group['name'], 'description': group.get('description') or '',
            'tenant_id': group['project_id'],
            'rules': [_rule(rule, sources) for rule in group.get('security_group_rules', ())
                      if rule['direction'] == 'ingress']}


def _rule(rule: JsonObject, sources: Mapping[str, JsonObject]) -> JsonObject:
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


def _anywhere(rule: JsonObject) -> str:
    return '::/0' if rule.get('ethertype') == 'IPv6' else '0.0.0.0/0'
