"""Which operation tells what: one line a flow, or a step of one.

An operation tells that it began and how it ended. Where an error has no event of its own, listeners hear of it
by ``compute.exception``. Some are told of by the steps they take.
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from nova.domain.notifications import payloads as p
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance

START, END, ERROR = 'start', 'end', 'error'
INFO, ERRORS = 'INFO', 'ERROR'
EXCEPTION = 'compute.exception'

State = Mapping[str, Any]
"""The data of a flow's state in its wire form, and ``guest``: what its guest is called on the hypervisor."""
More = Callable[[Instance, State], dict[str, Any]]


def _nothing(server: Instance, state: State) -> dict[str, Any]:
    return {}


def _create(server: Instance, state: State) -> dict[str, Any]:
    return {'keypairs': [p.KeypairPayload.of(server.keypair)] if server.keypair is not None else [],
            'tags': list(server.tags), 'trusted_image_certificates': server.trusted_certs,
            'instance_name': state.get('guest')}


def _certificates(server: Instance, state: State) -> dict[str, Any]:
    return {'trusted_image_certificates': server.trusted_certs}


def _new_flavor(server: Instance, state: State) -> dict[str, Any]:
    kept = state.get('new_flavor')
    return {'new_flavor': p.FlavorPayload.of(server.flavor if kept is None else Flavor.from_wire(kept))}


def _from_state(**names: str) -> More:
    """Fields of the payload by the names of the state's fields."""
    return lambda server, state: {name: state.get(own) for name, own in names.items()}


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """What an operation on a server tells.

    Attributes:
        name: without the phase.
        payload: class of its payload.
        more: the fields that this payload has beyond those of every operation.
        fails: its error has an event of its own.
        phases: of those that tell how it goes right; where there are none its steps do so.
        single: it has one event without a phase, when it begins.
    """

    name: str
    payload: type[p.InstanceActionPayload] = p.InstanceActionPayload
    more: More = _nothing
    fails: bool = False
    phases: tuple[str, ...] = (START, END)
    single: bool = False

    def named(self, phase: str) -> str | None:
        """The event of a phase; None where it has none."""
        if phase == ERROR:
            return f'{self.name}.{phase}' if self.fails else None
        if self.single:
            return self.name if phase == START else None
        return f'{self.name}.{phase}' if phase in self.phases else None


_VOLUME = _from_state(volume_id='volume_id')
_IMAGE = _from_state(snapshot_image_id='image_id')
_SWAP = _from_state(old_volume_id='old', new_volume_id='new')
_RESCUE = _from_state(rescue_image_ref='image_id')

_REBUILD = Event('instance.rebuild', p.InstanceActionRebuildPayload, _certificates, fails=True)

EVENTS: dict[str, Event] = {
    'build': Event('instance.create', p.InstanceCreatePayload, _create, fails=True),
    'delete': Event('instance.delete'),
    'soft_delete': Event('instance.soft_delete'),
    'restore': Event('instance.restore'),
    'start': Event('instance.power_on'),
    'stop': Event('instance.power_off'),
    'sync_stop': Event('instance.power_off'),
    'reboot': Event('instance.reboot', fails=True),
    'pause': Event('instance.pause'),
    'unpause': Event('instance.unpause'),
    'suspend': Event('instance.suspend'),
    'resume': Event('instance.resume'),
    'rescue': Event('instance.rescue', p.InstanceActionRescuePayload, _RESCUE),
    'unrescue': Event('instance.unrescue'),
    'shelve': Event('instance.shelve'),
    'shelve_offload': Event('instance.shelve_offload'),
    'unshelve': Event('instance.unshelve'),
    'trigger_crash_dump': Event('instance.trigger_crash_dump'),
    'snapshot': Event('instance.snapshot', p.InstanceActionSnapshotPayload, _IMAGE),
    'backup': Event('instance.snapshot', p.InstanceActionSnapshotPayload, _IMAGE),
    'resize': Event('instance.resize', fails=True, phases=()),
    'migrate': Event('instance.resize', fails=True, phases=()),
    'confirm_resize': Event('instance.resize_confirm'),
    'revert_resize': Event('instance.resize_revert'),
    'rebuild': _REBUILD,
    'live_migrate': Event('instance.live_migration', phases=()),
    'evacuate': Event('instance.evacuate', single=True),
    'attach_interface': Event('instance.interface_attach', fails=True),
    'detach_interface': Event('instance.interface_detach'),
    'attach_volume': Event('instance.volume_attach', p.InstanceActionVolumePayload, _VOLUME, fails=True),
    'detach_volume': Event('instance.volume_detach', p.InstanceActionVolumePayload, _VOLUME),
    'swap_volume': Event('instance.volume_swap', p.InstanceActionVolumeSwapPayload, _SWAP, fails=True),
}
"""By the name of the flow."""

_PREP = Event('instance.resize_prep', p.InstanceActionResizePrepPayload, _new_flavor)

STEPS: dict[tuple[str, str, str], Event] = {
    ('delete', 'destroy_guest', 'do'): Event('instance.shutdown'),
    **{(flow, step, 'do'): event for flow in ('resize', 'migrate') for step, event in (
        ('take_dest', _PREP), ('leave_source', Event('instance.resize')),
        ('arrive', Event('instance.resize_finish')))},
    ('shelve', 'offload_guest', 'do'): Event('instance.shelve_offload'),
    ('live_migrate', 'prepare', 'do'): Event('instance.live_migration_pre'),
    ('live_migrate', 'prepare', 'undo'): Event('instance.live_migration_rollback_dest'),
    ('live_migrate', 'finish', 'do'): Event('instance.live_migration_post_dest'),
    ('live_migrate', 'leave', 'do'): Event('instance.live_migration_post'),
    ('evacuate', 'spawn_again', 'do'): _REBUILD,
}
"""By the name of the flow, the name of the step, and the direction."""

SILENT = frozenset({'change_password', 'drain', 'extend_volume', 'refresh_volume_attachment', 'reset_state'})
"""Flows whose operations clients see, and of which nothing is published but changes of the server."""
