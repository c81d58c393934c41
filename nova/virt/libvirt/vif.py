"""Interfaces: how one looks in the domain, and its end on the host.

Bridges of Linux and of Open vSwitch are libvirt's to plug a tap into; a tap that somebody else looks after is
there before the guest. A device of the host becomes the guest's by libvirt, which gives it address and VLAN.
"""

from nova import errors
from nova.objects import VIF
from nova.virt.driver.claims import Interface
from nova.virt.libvirt import spec
from nova.virt.libvirt.commands import Commands

_BRIDGED = frozenset({'bridge', 'linuxbridge'})


def tap(vif: VIF) -> str:
    """Name of the interface's end on the host."""
    return vif.devname or f'tap{vif.id}'[:14]


def bridge(vif: VIF) -> str:
    """Name of the Linux bridge that the interface is plugged into."""
    return vif.network.bridge or vif.details.get('bridge_name') or f'brq{vif.network.id}'[:14]


def describe(vif: VIF, model: str, queues: int | None = None, device: Interface | None = None) -> spec.Nic:
    """The interface in the domain.

    Args:
        device: what the host has claimed for it.

    Raises:
        errors.virt.Unsupported: of a kind that this driver cannot plug in.
    """
    if device is not None:
        return _device(vif, model, device)
    mtu, alias = vif.network.mtu, f'ua-{vif.id}'
    if vif.type in _BRIDGED:
        return spec.Nic(mac=vif.address, kind='bridge', source=bridge(vif), target=tap(vif), model=model,
                        mtu=mtu, queues=queues, alias=alias)
    if vif.type == 'ovs' and not vif.details.get('ovs_hybrid_plug'):
        return spec.Nic(mac=vif.address, kind='bridge', source=vif.details.get('bridge_name') or 'br-int',
                        target=tap(vif), model=model, mtu=mtu, queues=queues,
                        virtual_port=vif.ovs_interfaceid or vif.id, alias=alias)
    if vif.type == 'tap':
        return spec.Nic(mac=vif.address, kind='ethernet', target=tap(vif), model=model, mtu=mtu, queues=queues,
                        alias=alias)
    raise errors.virt.Unsupported(reason=f'interfaces of type {vif.type} cannot be plugged in by libvirt')


def _device(vif: VIF, model: str, device: Interface) -> spec.Nic:
    alias, vlan = f'ua-{vif.id}', vif.details.get('vlan')
    tag = int(vlan) if vlan else None
    if vif.type == 'hw_veb' and vif.vnic_type == 'direct':
        return spec.Nic(mac=vif.address, kind='hostdev', source=device.address, vlan=tag, alias=alias)
    if vif.type == 'hw_veb' and vif.vnic_type == 'macvtap' and device.devname is not None:
        return spec.Nic(mac=vif.address, kind='direct', source=device.devname, model=model, vlan=tag,
                        alias=alias)
    if vif.type == 'hostdev_physical':
        return spec.Nic(kind='card', source=device.address, alias=alias)
    raise errors.virt.Unsupported(reason=f'an interface of type {vif.type} with vnic_type {vif.vnic_type} '
                                  f'cannot be {device.devname or device.address}')


def plug(commands: Commands, vif: VIF) -> None:
    """Make what must be there before the guest. Repeatable."""
    if vif.type in _BRIDGED and not exists(commands, bridge(vif)):
        # Somebody else may have made it meanwhile.
        commands.ip('link', 'add', bridge(vif), 'type', 'bridge', good=(0, 2))
        commands.ip('link', 'set', bridge(vif), 'up')
    elif vif.type == 'tap' and not exists(commands, tap(vif)):
        commands.ip('tuntap', 'add', tap(vif), 'mode', 'tap', good=(0, 1, 2))
        commands.ip('link', 'set', tap(vif), 'up')


def unplug(commands: Commands, vif: VIF) -> None:
    """Remove what `plug` made of this interface alone: a bridge stays for others. Repeatable."""
    if vif.type == 'tap' and exists(commands, tap(vif)):
        commands.ip('link', 'del', tap(vif), good=(0, 1))


def exists(commands: Commands, name: str) -> bool:
    """Whether the host has a network device of this name."""
    return bool(commands.ip('-o', 'link', 'show', 'dev', name, good=(0, 1)).strip())
