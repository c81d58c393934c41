"""What ports ask of their host, in both forms of the network service."""

import json

import pytest

from nova.domain import placement_request, port_requests
from nova.objects.network_model import VIF, Network, NetworkInfo

PORT, OTHER = '11111111-1111-4111-8111-111111111111', '22222222-2222-4222-8222-222222222222'
WIDE, FAST = '33333333-3333-4333-8333-333333333333', '44444444-4444-4444-8444-444444444444'
OLD = {'id': PORT, 'resource_request': {'required': ['T2', 'T1'], 'resources': {'BW': 10}}}
NEW = {'id': OTHER, 'resource_request': {'request_groups': [
    {'id': WIDE, 'required': ['T1'], 'resources': {'BW': 20}}, {'id': FAST, 'resources': {'RATE': 5}}],
    'same_subtree': [FAST, WIDE]}}


def claims(*ports):
    return [claim for port in ports for claim in port_requests.claims(port)]


def test_both_forms():
    assert claims(OLD, NEW) == [
        {'suffix': PORT, 'port': PORT, 'resources': {'BW': 10}, 'required': ['T1', 'T2'], 'same_subtree': []},
        {'suffix': WIDE, 'port': OTHER, 'resources': {'BW': 20}, 'required': ['T1'],
         'same_subtree': [WIDE, FAST]},
        {'suffix': FAST, 'port': OTHER, 'resources': {'RATE': 5}, 'required': [], 'same_subtree': [WIDE, FAST]}]
    assert port_requests.subtrees(claims(OLD, NEW, NEW)) == [frozenset({WIDE, FAST})]


@pytest.mark.parametrize('said', [{}, {'resource_request': None}, {'resource_request': {}}, {
    'resource_request': {'request_groups': [], 'same_subtree': []}}, {'resource_request': {'resources': {}}}])
def test_nothing(said):
    assert claims({'id': PORT, **said}) == []


def test_what_placement_is_asked():
    """A group each, of one provider; no policy but that of the flavor says that they have to be apart."""
    request = placement_request.build({'VCPU': 1}, {}, extra_groups=[
        placement_request.group_from_json(json.loads(json.dumps(claim))) for claim in claims(OLD, NEW)])
    request.same_subtree += port_requests.subtrees(claims(OLD, NEW))
    assert request.params() == [
        ('resources', 'VCPU:1'), (f'resources{PORT}', 'BW:10'), (f'required{PORT}', 'T1,T2'),
        (f'resources{WIDE}', 'BW:20'), (f'required{WIDE}', 'T1'), (f'resources{FAST}', 'RATE:5'),
        ('group_policy', 'none'), ('same_subtree', f'{WIDE},{FAST}')]


def test_who_serves_is_said_in_both_forms():
    chosen = json.dumps({'allocations': {}, 'mappings': {
        '': ['node'], '_NUMA0': ['cell'], PORT: ['br1'], WIDE: ['br2'], FAST: ['agent']}})
    who = port_requests.serving(chosen)
    assert who == {PORT: 'br1', WIDE: 'br2', FAST: 'agent'}
    old, new = (port_requests.allocation(claims(port), who) for port in (OLD, NEW))
    assert (old, new) == ({'allocation': 'br1'}, {'allocation': {WIDE: 'br2', FAST: 'agent'}})
    info = NetworkInfo(vifs=[VIF(id=ident, address='', profile=profile, network=Network(id='net'))
                             for ident, profile in ((PORT, old), (OTHER, new), ('plain', {}))])
    assert port_requests.served(info) == who
    assert port_requests.served(None) == {} == port_requests.serving('{"allocations": {}}')


def test_a_port_of_which_not_all_is_served_says_nothing():
    assert port_requests.allocation(claims(NEW), {WIDE: 'br2'}) == port_requests.allocation([], {}) == {}


def test_what_is_asked_for_again_is_what_ports_ask_for_now():
    other = {'suffix': '', 'required': ['T']}
    asked = [other, *claims(OLD)]
    assert port_requests.renewed(asked, lambda: [NEW, {'id': 'plain'}]) == [other, *claims(NEW)]

    def never():
        raise AssertionError('nobody claimed anything for a port')
    assert port_requests.renewed([other], never) == [other]


def test_what_is_left_when_a_port_goes():
    """As much of each provider as others hold of it."""
    held = {'node': {'resources': {'VCPU': 1}}, 'br1': {'resources': {'BW': 30}},
            'agent': {'resources': {'RATE': 5}}}
    who = {PORT: 'br1', WIDE: 'br1', FAST: 'agent'}
    assert port_requests.without(held, claims(NEW), who) == {
        'node': {'resources': {'VCPU': 1}}, 'br1': {'resources': {'BW': 10}}}
    assert port_requests.without(held, claims(OLD, NEW), who) == {'node': {'resources': {'VCPU': 1}}}
    assert port_requests.without(held, [], {}) == held
