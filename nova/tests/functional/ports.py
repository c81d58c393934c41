"""Ports that an operator makes and looks at, at the sandbox's network service."""


def make_port(admin, network, **values):
    """The id of a new port."""
    answer = admin.call('POST', '/v2.0/ports', {'port': {'network_id': network, **values}}, service='network')
    assert answer.status_code == 201, answer.text
    return answer.json()['port']['id']


def shown(admin, ident):
    """A port, as it is now."""
    return admin.get(f'/v2.0/ports/{ident}', service='network')['port']
