"""The attributes that were extensions once: states, times and what only administrators see."""


from nova.common import clock
from nova.objects.instance import Instance
from nova.policies import servers as rules
from nova.rest import types
from nova.rest.field import Document, Field, Span
from nova.schema.server import faces
from nova.schema.server.look import Look

_ADMIN = rules.EXTENDED_ATTRIBUTES
_TEXT = types.nullable(types.TEXT)


def _hostname(server: Instance, look: Look) -> str:
    return server.hostname or ''


class Extended(Document):
    task_state = Field(_TEXT, 'What is being done to it.', key='OS-EXT-STS:task_state', **faces.EXTENDED)
    vm_state = Field(_TEXT, 'What it is.', key='OS-EXT-STS:vm_state', **faces.EXTENDED)
    power_state = Field(types.INTEGER, 'What the hypervisor says.', key='OS-EXT-STS:power_state',
                        get=lambda s, look: int(s.power_state or 0), **faces.EXTENDED)
    launched_at = Field(_TEXT, 'When it was first up.', key='OS-SRV-USG:launched_at',
                        get=lambda s, look: clock.strtime(s.launched_at), **faces.EXTENDED)
    terminated_at = Field(_TEXT, 'When it was deleted.', key='OS-SRV-USG:terminated_at',
                          get=lambda s, look: clock.strtime(s.terminated_at), **faces.EXTENDED)
    instance_name = Field(types.TEXT, 'Name that the hypervisor knows.', key='OS-EXT-SRV-ATTR:instance_name',
                          rule=_ADMIN, get=lambda s, look: look.instance_name(s), **faces.EXTENDED)
    hostname_admin = Field(
        types.TEXT, 'Host name inside the guest.', key='OS-EXT-SRV-ATTR:hostname', rule=_ADMIN, get=_hostname,
        detail=Span('2.3', '2.89'), show=Span('2.3', '2.89'), updated=Span('2.75', '2.89'),
        rebuilt=Span('2.75', '2.89'))
    hostname_all = Field(types.TEXT, 'Host name inside the guest.', key='OS-EXT-SRV-ATTR:hostname',
                         get=_hostname, **faces.since('2.90'))
    kernel_id = Field(_TEXT, 'Kernel image.', key='OS-EXT-SRV-ATTR:kernel_id', rule=_ADMIN,
                      **faces.extended('2.3'))
    launch_index = Field(types.INTEGER, 'Its number among those created with it.', rule=_ADMIN,
                         key='OS-EXT-SRV-ATTR:launch_index', get=lambda s, look: s.launch_index or 0,
                         **faces.extended('2.3'))
    ramdisk_id = Field(_TEXT, 'Ramdisk image.', key='OS-EXT-SRV-ATTR:ramdisk_id', rule=_ADMIN,
                       **faces.extended('2.3'))
    reservation_id = Field(_TEXT, 'Shared with those created with it.', rule=_ADMIN,
                           key='OS-EXT-SRV-ATTR:reservation_id', **faces.extended('2.3'))
    root_device_name = Field(_TEXT, 'Device it boots from.', rule=_ADMIN,
                             key='OS-EXT-SRV-ATTR:root_device_name', **faces.extended('2.3'))
    shown_user_data = Field(_TEXT, 'Base64 text handed to the guest.', key='OS-EXT-SRV-ATTR:user_data',
                            rule=_ADMIN, attribute='user_data', detail='2.3', show='2.3',
                            updated='2.75')
