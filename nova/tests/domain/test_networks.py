"""Requested networks, as users write them."""

import pytest

from nova import errors
from nova.domain import networks

NET, PORT = 'aa000000-0000-4000-8000-000000000001', 'bb000000-0000-4000-8000-000000000001'


def test_words_and_absence():
    assert networks.parse(None) == []
    auto, none = networks.parse('auto'), networks.parse('none')
    assert auto[0].network_id == 'auto' and networks.wanted(auto)
    assert not networks.wanted(none)


def test_ports_and_networks_in_order():
    first, second = networks.parse([{'port': PORT, 'tag': 'a'}, {'uuid': NET, 'fixed_ip': '2001:DB8::1'}])
    assert (first.port_id, first.network_id, first.tag) == (PORT, None, 'a')
    assert (second.network_id, second.address) == (NET, '2001:db8::1')


@pytest.mark.parametrize('given', [
    [{'port': PORT}, {'port': PORT}], [{'port': PORT, 'fixed_ip': '10.0.0.1'}], [{'uuid': 'br-x'}], [{}],
    [{'uuid': NET, 'fixed_ip': '10.0.0.300'}],
])
def test_what_makes_no_sense_is_refused(given):
    with pytest.raises(errors.Invalid):
        networks.parse(given)


def test_servers_do_not_share_a_port_or_an_address():
    for given in ([{'port': PORT}], [{'uuid': NET, 'fixed_ip': '10.0.0.1'}]):
        requests = networks.parse(given)
        networks.check_count(requests, 1)
        with pytest.raises(errors.Invalid):
            networks.check_count(requests, 2)
