"""Where a server is and may be: zone, host, groups, scheduler hints."""

import hashlib

from nova.policies import servers as rules
from nova.rest import types
from nova.rest.field import Document, Field
from nova.schema.server import faces

EXTENDED = rules.EXTENDED_ATTRIBUTES
_UUIDS = types.either(types.UUID, types.array(types.UUID))


class Hints(Document):
    """Scheduler hints; filters of operators may know more of them, so unknown ones pass."""

    others = True
    group = Field(_UUIDS, 'Server group.', create='2.1')
    different_host = Field(_UUIDS, 'Not with these servers.', create='2.1')
    same_host = Field(_UUIDS, 'With one of these servers.', create='2.1')
    query = Field(types.either(types.TEXT, types.OBJECT), 'Condition on the host, as JSON.', create='2.1')
    target_cell = Field(types.NAME, create='2.1')
    different_cell = Field(types.either(types.TEXT, types.array(types.TEXT)), create='2.1')
    build_near_host_ip = Field(types.text(format='ip'), create='2.1')
    cidr = Field(types.text(format='slash-prefix'), create='2.1')


def host_id(project_id: str, host: str | None) -> str:
    """A name for the host that is no one else's, so that a project sees which of its servers are together."""
    return hashlib.sha224((project_id + host).encode()).hexdigest() if host else ''


class Placement(Document):
    hostId = Field(types.TEXT, 'Name of the host as this project knows it.',
                   get=lambda s, look: host_id(s.project_id, s.host), **faces.ALWAYS)
    zone = Field(types.TEXT, 'Availability zone it is in.', key='OS-EXT-AZ:availability_zone',
                 get=lambda s, look: look.zone(s), **faces.EXTENDED)
    host = Field(types.HOST, 'Host it must be built on.', create='2.74')
    hypervisor_hostname = Field(types.HOST, 'Hypervisor it must be built on.', create='2.74')
    availability_zone = Field(types.NAME, 'Zone it must be built in.', create='2.1')
    shown_host = Field(types.nullable(types.TEXT), 'Host.', key='OS-EXT-SRV-ATTR:host', rule=EXTENDED,
                       attribute='host', **faces.EXTENDED)
    shown_node = Field(types.nullable(types.TEXT), 'Hypervisor.', key='OS-EXT-SRV-ATTR:hypervisor_hostname',
                       rule=EXTENDED, attribute='node', **faces.EXTENDED)
    host_status = Field(types.enum('UP', 'DOWN', 'MAINTENANCE', 'UNKNOWN', ''), 'State of the host.',
                        maybe=True, get=lambda s, look: look.host_status(s), needs=('services',),
                        **faces.extended('2.16'))
    server_groups = Field(types.array(types.UUID), 'Groups it is a member of.',
                          get=lambda s, look: look.groups(s), needs=('groups',),
                          show='2.71', updated='2.71', rebuilt='2.71')
    pinned_availability_zone = Field(
        types.nullable(types.text(1, 255)), 'Zone it stays in.', get=lambda s, look: look.pinned_zone(s),
        needs=('request_spec',), update='2.104', **faces.since('2.96'))
    scheduler_hints = Field(types.OBJECT, 'What the scheduler was asked.', get=lambda s, look: look.hints(s),
                            needs=('request_spec',), **faces.since('2.100'))


class CreateRequest(Document):
    """Hints stand beside the server, under either of two names."""

    hints = Field(Hints, key='os:scheduler_hints', create='2.1')
    hints_alias = Field(Hints, key='OS-SCH-HNT:scheduler_hints', create='2.1')
