"""What drivers keep in the host's journal of a server, under which names.

It is there for the time when nobody can be asked: a hard reboot, the end of a guest, a host that was booted.
The record is the server's as the driver saw it last; connections are those of its volumes; shares are what is
mounted for it; the claim is what of the host is its alone.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from nova import errors, objects
from nova.objects import VIF, BlockDeviceMapping, NetworkInfo
from nova.states import Power

if TYPE_CHECKING:
    from nova.task.handles import Host

RECORD, CONNECTIONS, CLAIM, SHARES = 'record', 'connections', 'claim', 'shares'

Connection = dict[str, object]
"""How a volume is connected: what Cinder answers about an attachment (``driver_volume_type`` and what belongs
to it), and under ``device_info`` what the host's connector made of it."""


Share = dict[str, object]
"""A share that is mounted for a server: its `objects.ShareMapping`, and under ``key`` what opens it."""


def keep_record(h: 'Host') -> None:
    """Keep the server's record as it is now."""
    h.journal.put(RECORD, h.instance.to_wire())


def keep_device(h: 'Host', device: BlockDeviceMapping) -> None:
    """Keep the record with a volume that its guest has now."""
    found = record(h)
    if found is not None and device.volume_id not in [each.volume_id for each in found.block_devices]:
        found.block_devices = [*found.block_devices, device]
        h.journal.put(RECORD, found.to_wire())


def keep_vif(h: 'Host', vif: VIF) -> None:
    """Keep the record with an interface that its guest has now."""
    found = record(h)
    if found is None:
        return
    vifs = found.network_info.vifs if found.known('network_info') and found.network_info is not None else []
    if vif.id not in [each.id for each in vifs]:
        found.network_info = NetworkInfo(vifs=[*vifs, vif])
        h.journal.put(RECORD, found.to_wire())


def forget_vif(h: 'Host', ident: str) -> None:
    """Keep the record without an interface."""
    found = record(h)
    if found is not None and found.known('network_info') and found.network_info is not None:
        found.network_info = NetworkInfo(vifs=[each for each in found.network_info.vifs if each.id != ident])
        h.journal.put(RECORD, found.to_wire())


def _forget_device(h: 'Host', volume_id: str) -> None:
    found = record(h)
    if found is not None:
        found.block_devices = [each for each in found.block_devices if each.volume_id != volume_id]
        h.journal.put(RECORD, found.to_wire())


def record(h: 'Host') -> objects.Instance | None:
    """The server's record as it was kept last."""
    kept = h.journal.get(RECORD)
    return None if kept is None else objects.Instance.from_wire(kept)


def connections(h: 'Host') -> dict[str, Connection]:
    """The server's volumes that are connected to this host: volume id to connection."""
    return cast(dict[str, Connection], h.journal.get(CONNECTIONS) or {})


def keep_connection(h: 'Host', volume_id: str, connection: Mapping[str, object] | None) -> None:
    """Keep how a volume is connected; None forgets it, and that the server has it."""
    kept = {name: value for name, value in connections(h).items() if name != volume_id}
    if connection is not None:
        kept[volume_id] = dict(connection)
    h.journal.put(CONNECTIONS, kept or None)
    if connection is None:
        _forget_device(h, volume_id)


def rename_connection(h: 'Host', volume_id: str, name: str) -> None:
    """Keep how a volume is connected under another id, if that is known under the old one."""
    kept = connections(h)
    if volume_id in kept:
        h.journal.put(CONNECTIONS, {name: kept.pop(volume_id), **kept})
        found = record(h)
        for device in found.block_devices if found is not None else ():
            device.volume_id = name if device.volume_id == volume_id else device.volume_id
        if found is not None:
            h.journal.put(RECORD, found.to_wire())


def users(h: 'Host', volume_id: str) -> set[str]:
    """Servers for which a volume is connected to this host."""
    return {uuid for uuid, kept in h.journal.each(CONNECTIONS).items() if volume_id in kept}


def shares(h: 'Host') -> dict[str, Share]:
    """The server's shares that are mounted on this host: share id to share."""
    return cast(dict[str, Share], h.journal.get(SHARES) or {})


def keep_share(h: 'Host', share_id: str, share: Mapping[str, object] | None) -> None:
    """Keep what is mounted; None forgets it."""
    found = {name: value for name, value in shares(h).items() if name != share_id}
    if share is not None:
        found[share_id] = dict(share)
    h.journal.put(SHARES, found or None)


def check_off(server: str, power: int | None) -> None:
    """A guest gets and loses shares while it is off.

    Args:
        power: see `Power`; None where there is no guest.

    Raises:
        errors.virt.DriverFailed: it is on.
    """
    if power not in (None, Power.SHUTDOWN, Power.CRASHED, Power.NOSTATE):
        raise errors.virt.DriverFailed(reason=f'the guest of {server} is not off')


def check_no_shares(h: 'Host') -> None:
    """A guest with shares stays where it is: what virtiofs knows of open files goes nowhere.

    Raises:
        errors.virt.MigrationImpossible: it has some.
    """
    if shares(h):
        raise errors.virt.MigrationImpossible(server=h.instance.uuid, reason='it has shares')
