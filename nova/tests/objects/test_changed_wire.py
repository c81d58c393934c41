"""That a wire form says of every level what has changed there, without asking for it level by level."""

from nova import objects


def test_a_change_deep_inside_is_said_on_every_level_above() -> None:
    subnet = objects.Subnet(id='s', cidr='10.0.0.0/24', ips=[objects.IP(address='10.0.0.2')])
    info = objects.NetworkInfo(vifs=[
        objects.VIF(id='p', address='fa:16:3e:00:00:01', network=objects.Network(
            id='n', label='private', subnets=[subnet])),
        objects.VIF(id='q', address='fa:16:3e:00:00:02', network=objects.Network(
            id='m', label='b', subnets=[]))])
    info.clean()
    assert 'nova_object.changes' not in repr(info.to_wire())
    subnet.ips[0].address = '10.0.0.3'
    wire = info.to_wire()
    first, second = wire['nova_object.data']['vifs']
    network = first['nova_object.data']['network']
    inner = network['nova_object.data']['subnets'][0]
    assert [one['nova_object.changes'] for one in (wire, first, network, inner)] == [
        ['vifs'], ['network'], ['subnets'], ['ips']]
    assert 'nova_object.changes' not in second
    assert objects.NetworkInfo.from_wire(wire).changed() == info.changed() == {'vifs'}
