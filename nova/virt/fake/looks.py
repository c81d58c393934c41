"""What there is to see of fake guests: consoles and diagnostics."""

from typing import Any

from nova import errors
from nova.states import Power
from nova.virt.fake.guests import Guests


class FakeLooks(Guests):
    """See `nova.virt.driver.console`."""

    def console_output(self, instance: Any, lines: int | None = None) -> str:
        text = ['FAKE CONSOLE OUTPUT', 'ANOTHER', 'LAST LINE', *self.guest(instance).log]
        return '\n'.join(text if lines is None else text[-lines:] if lines > 0 else [])

    def console(self, instance: Any, kind: str) -> dict[str, Any]:
        self.guest(instance)
        ports = {'novnc': 6080, 'spice-html5': 6082, 'spice-direct': 6082, 'rdp-html5': 6083, 'serial': 6083,
                 'webmks': 6090}
        if kind not in ports:
            raise errors.virt.ConsoleTypeUnavailable(type=kind)
        return {'host': f'{self.host}.example', 'port': ports[kind], 'internal_access_path': instance.uuid}

    def diagnostics(self, instance: Any) -> dict[str, Any]:
        guest = self.guest(instance)
        return {
            'state': Power(guest.power).name.lower(), 'driver': 'fake', 'hypervisor': 'fake',
            'hypervisor_os': 'fake', 'uptime': 0, 'config_drive': False, 'num_cpus': guest.vcpus,
            'num_nics': len(guest.interfaces), 'num_disks': 1 + len(guest.volumes),
            'cpu_details': [{'id': number, 'time': 0, 'utilisation': 0} for number in range(guest.vcpus)],
            'nic_details': [], 'disk_details': [],
            'memory_details': {'maximum': guest.memory_mb, 'used': 0}}
