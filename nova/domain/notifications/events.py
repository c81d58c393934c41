"""Which operation tells what: one line a flow, or a step of one.

An operation tells that it began and how it ended. Where an error has no event of its own, listeners hear of it
by ``compute.exception``. Some are told of by the steps they take.
"""

import dataclasses
from collections.abc import Callable

from nova.common.jsonutil import JsonObject
from nova.domain.notifications import payloads as p
from nova.objects.flavor import Flavor
from nova.objects.instance import Instance

START, END, ERROR = 'start', 'end', 'error'
INFO, ERRORS = 'INFO', 'ERROR'
EXCEPTION = 'compute.exception'
UNPLACED = 'compute_task.build_instances.error'

State = JsonObject
"""The data of a flow's state in its wire form, and ``guest``: what its guest is called on the hypervisor."""
More = Callable[[Instance, State], JsonObject]


def _nothing(server: Instance, state: State) -> JsonObject:
    return {}


def _create(server: Instance, state: State) -> JsonObject:
    return {'keypairs': [p.KeypairPayload.of(server.keypair)] if server.keypair is not None else [],
            'tags': list(server.tags), 'trusted_image_certificates': server.trusted_certs,
            'instance_name': state.get('guest')}


def _certificates(server: Instance, state: State) -> JsonObject:
    return {'trusted_image_certificates': server.trusted_certs}


def _new_flavor(server: Instance, state: State) -> JsonObject:
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
_SHARE = _from_state(share_id='share_id')
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
    'attach_share': Event('instance.share_attach', p.InstanceActionSharePayload, _SHARE, fails=True),
    'detach_share': Event('instance.share_detach', p.InstanceActionSharePayload, _SHARE, fails=True),
    'swap_volume': Event('instance.volume_swap', p.InstanceActionVolumeSwapPayload, _SWAP, fails=True),
}
"""By the name of the flow."""

_PREP = Event('instance.resize_prep', p.InstanceActionResizePrepPayload, _new_flavor)

_SCHEDULED = Event('instance.rebuild_scheduled', p.InstanceActionRebuildPayload, _certificates, single=True)

STEPS: dict[tuple[str, str, str], Event] = {
    ('delete', 'destroy_guest', 'do'): Event('instance.shutdown'),
    **{(flow, step, 'do'): event for flow in ('resize', 'migrate') for step, event in (
        ('take_dest', _PREP), ('leave_source', Event('instance.resize')),
        ('arrive', Event('instance.resize_finish')))},
    ('shelve', 'offload_guest', 'do'): Event('instance.shelve_offload'),
    ('rebuild', 'clear_guest', 'do'): _SCHEDULED,
    ('evacuate', 'take_dest', 'do'): _SCHEDULED,
    ('live_migrate', 'prepare_network', 'undo'): Event('instance.live_migration_rollback'),
    ('live_migrate', 'prepare', 'do'): Event('instance.live_migration_pre'),
    ('live_migrate', 'prepare', 'undo'): Event('instance.live_migration_rollback_dest'),
    ('live_migrate', 'finish', 'do'): Event('instance.live_migration_post_dest'),
    ('live_migrate', 'leave', 'do'): Event('instance.live_migration_post'),
    ('evacuate', 'spawn_again', 'do'): _REBUILD,
}
"""By the name of the flow, the name of the step, and the direction."""

REQUESTS: dict[str, tuple[str, ...]] = {
    'lock': ('instance.lock',),
    'unlock': ('instance.unlock',),
    'live_migration_cancel': ('instance.live_migration_abort.start', 'instance.live_migration_abort.end'),
    'live_migration_force_complete': ('instance.live_migration_force_complete.start',
                                      'instance.live_migration_force_complete.end'),
}
"""What is told of requests about a server that begin no operation, by the action under which they are noted."""

NOUNS: dict[str, tuple[str, ...]] = {
    'aggregate': tuple(f'{action}.{phase}' for action in (
        'create', 'delete', 'update_prop', 'update_metadata', 'add_host', 'remove_host', 'cache_images')
        for phase in (START, END)),
    'flavor': ('create', 'update', 'delete'),
    'keypair': tuple(f'{action}.{phase}' for action in ('create', 'import', 'delete')
                     for phase in (START, END)),
    'server_group': ('create', 'delete', 'add_member'),
    'service': ('create', 'update', 'delete'),
}
"""What is told of what the API keeps."""

UPDATE = 'instance.update'

UNTOLD: dict[str, str] = {
    'aggregate.cache_images.progress': 'hosts fetch images on their own, and nobody waits for them',
    'compute_task.migrate_server.error': 'instance.resize.error and compute.exception tell it',
    'compute_task.rebuild_server.error': 'instance.rebuild.error and compute.exception tell it',
    'instance.exists': 'os-simple-tenant-usage and os-instance_usage_audit_log answer it for any period',
    'libvirt.connect.error': 'the service of the host is down then, and the log says why',
    'metrics.update': 'no host measures itself for others',
    'scheduler.select_destinations.*': 'who is asked for hosts changes nothing that lasts',
    'volume.usage': 'no host counts what guests read and write between two questions for diagnostics',
}
"""What is published and not told, and why; a star stands for every phase."""


def told() -> set[str]:
    """Every event that may be sent."""
    of_flows = {event.named(phase) for event in (*EVENTS.values(), *STEPS.values())
                for phase in (START, END, ERROR)}
    return {*(name for name in of_flows if name is not None), EXCEPTION, UNPLACED, UPDATE,
            *(name for names in REQUESTS.values() for name in names),
            *(f'{noun}.{name}' for noun, names in NOUNS.items() for name in names)}


SILENT = frozenset({'change_password', 'drain', 'extend_volume', 'refresh_volume_attachment', 'reset_state'})
"""Flows whose operations clients see, and of which nothing is published but changes of the server."""
