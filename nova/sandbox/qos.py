"""QoS policies of the network stand-in: their minima, and what ports ask of hosts because of them.

Limits are not kept: Compute has nothing to do with them.
"""

import re
import uuid
from collections.abc import Callable
from typing import TypeVar

import falcon

from nova.common import problem, uuids, web
from nova.sandbox import netkinds as n
from nova.sandbox import service, store
from nova.sandbox.store import Document, Rows

T = TypeVar('T')

BANDWIDTH, PACKETS = 'minimum_bandwidth', 'minimum_packet_rate'
_AMOUNT = {BANDWIDTH: 'min_kbps', PACKETS: 'min_kpps'}
_CLASSES = {
    (BANDWIDTH, 'egress'): 'NET_BW_EGR_KILOBIT_PER_SEC', (BANDWIDTH, 'ingress'): 'NET_BW_IGR_KILOBIT_PER_SEC',
    (PACKETS, 'egress'): 'NET_PACKET_RATE_EGR_KILOPACKET_PER_SEC',
    (PACKETS, 'ingress'): 'NET_PACKET_RATE_IGR_KILOPACKET_PER_SEC',
    (PACKETS, 'any'): 'NET_PACKET_RATE_KILOPACKET_PER_SEC'}
"""What Placement calls a minimum, by kind and direction; there are no others."""
_SHAPE = service.shape(text='direction', integers='min_kbps min_kpps')


# Policies ----------------------------------------------------------------------------------------

def create(rows: Rows, caller: service.Caller, project: str, body: Document) -> Document:
    _need_admin(caller, 'create_policy')
    policy = n.stamp({'project_id': project, 'tenant_id': project, 'shared': bool(body.get('shared')),
                      'is_default': bool(body.get('is_default'))})
    policy.update({name: body[name] for name in ('name', 'description') if body.get(name) is not None})
    return rows.insert(n.POLICY, policy)


def delete(rows: Rows, caller: service.Caller, policy: Document) -> None:
    _need_admin(caller, 'delete_policy')
    users = rows.list(n.PORT) + rows.list(n.NETWORK)
    if any(user['qos_policy_id'] == policy['id'] for user in users):
        raise n.QosPolicyInUse(id=policy['id'])
    rows.delete_children(n.MINIMUM, policy['id'])
    rows.delete(n.POLICY, policy['id'])


def shown(rows: Rows, policy: Document) -> Document:
    """A policy with its rules."""
    return {**policy, 'rules': rows.list(n.MINIMUM, parent=policy['id'])}


def check(rows: Rows, caller: service.Caller, body: Document) -> None:
    """A port or network has a policy that its owner sees, or none.

    Raises:
        QosPolicyNotFound: it is another's, or nobody's.
    """
    ident = body.get('qos_policy_id')
    if ident is not None:
        visible(rows, caller, str(ident))


def visible(rows: Rows, caller: service.Caller, ident: str) -> Document:
    found = rows.get(n.POLICY, ident)
    if found is None or not (caller.owns(found) or found['shared']):
        raise n.QosPolicyNotFound(id=ident)
    return found


def _need_admin(caller: service.Caller, rule: str) -> None:
    if not caller.is_admin:
        raise n.PolicyNotAuthorized(rule=rule)


# What ports ask for ------------------------------------------------------------------------------

def shown_port(rows: Rows, port: Document) -> Document:
    """A port with the policy of its network, and what it asks of its host."""
    network = rows.get(n.NETWORK, port['network_id']) or {}
    inherited = network.get('qos_policy_id')
    return {**port, 'qos_network_policy_id': inherited,
            'resource_request': _request(rows, port, network, port['qos_policy_id'] or inherited)}


def _request(rows: Rows, port: Document, network: Document, policy: str | None) -> Document | None:
    """As Neutron has it since ``port-resource-request-groups``; bandwidth counts on physical networks alone."""
    if policy is None or port['device_owner'].startswith('network:'):
        return None
    vnic = 'CUSTOM_VNIC_TYPE_' + port['binding:vnic_type'].upper().replace('-', '_')
    physical = network.get('provider:physical_network')
    physnet = 'CUSTOM_PHYSNET_' + re.sub('[^A-Z0-9_]', '_', (physical or '').upper())
    groups = []
    for kind, required in ((BANDWIDTH, [physnet, vnic]), (PACKETS, [vnic])):
        resources = {_CLASSES[kind, rule['direction']]: rule[_AMOUNT[kind]]
                     for rule in rows.list(n.MINIMUM, parent=policy) if rule['type'] == kind}
        if resources and (kind == PACKETS or physical):
            ident = str(uuid.uuid5(uuid.UUID(port['id']), kind))
            groups.append({'id': ident, 'required': required, 'resources': resources})
    return {'request_groups': groups, 'same_subtree': [group['id'] for group in groups]} if groups else None


# Rules -------------------------------------------------------------------------------------------

class Rules:
    """The minima of policies, one path a kind."""

    def __init__(self, keep: store.Store) -> None:
        self._store = keep

    def route(self, add: service.Add) -> None:
        for kind in _AMOUNT:
            self._route(add, kind)

    def _route(self, add: service.Add, kind: str) -> None:
        envelope = f'{kind}_rule'

        def index(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            with self._store.read() as rows:
                visible(rows, service.who(req), ident)
                found = [rule for rule in rows.list(n.MINIMUM, parent=ident) if rule['type'] == kind]
            web.send(resp, {f'{envelope}s': found})

        def create_rule(req: falcon.Request, resp: falcon.Response, ident: str) -> None:
            body = service.checked(_SHAPE, service.enveloped(req, envelope))
            rule: Document = {'id': uuids.generate(), 'qos_policy_id': ident, 'type': kind,
                              **_stated(kind, {'direction': 'egress', **body})}
            web.send(resp, {envelope: self._write(req, ident, lambda rows: _insert(rows, rule))}, 201)

        def update_rule(req: falcon.Request, resp: falcon.Response, ident: str, rule: str) -> None:
            body = service.checked(_SHAPE, service.enveloped(req, envelope))

            def change(rows: Rows) -> Document:
                old = _rule(rows, ident, rule)
                return rows.update(n.MINIMUM, {**old, **_stated(kind, {**old, **body})})
            web.send(resp, {envelope: self._write(req, ident, change)})

        def delete_rule(req: falcon.Request, resp: falcon.Response, ident: str, rule: str) -> None:
            self._write(req, ident, lambda rows: rows.delete(n.MINIMUM, _rule(rows, ident, rule)['id']))
            resp.status = falcon.HTTP_204

        base = f'/v2.0/qos/policies/{{ident}}/{envelope}s'
        add(base, GET=index, POST=create_rule)
        add(base + '/{rule}', PUT=update_rule, DELETE=delete_rule)

    def _write(self, req: falcon.Request, policy: str, fn: Callable[[Rows], T]) -> T:
        caller = service.who(req)

        def write(rows: Rows) -> T:
            visible(rows, caller, policy)
            _need_admin(caller, 'create_policy_rule')
            return fn(rows)
        return self._store.write(write)


def _stated(kind: str, body: Document) -> Document:
    amount, direction = body.get(_AMOUNT[kind]), body.get('direction')
    if (kind, direction) not in _CLASSES or not isinstance(amount, int) or amount < 0:
        raise n.HTTPBadRequest(why=f"Invalid input for a {kind} rule: '{direction}', '{amount}'.")
    return {'direction': direction, _AMOUNT[kind]: amount}


def _insert(rows: Rows, rule: Document) -> Document:
    try:
        return rows.insert(n.MINIMUM, rule)
    except store.Duplicate:
        raise problem.Conflict('Rule conflicts with another rule of the policy: there is one for each kind and '
                               'direction.') from None


def _rule(rows: Rows, policy: str, ident: str) -> Document:
    found = rows.get(n.MINIMUM, ident)
    if found is None or found['qos_policy_id'] != policy:
        raise n.QosRuleNotFound(id=ident, policy=policy)
    return found
