"""What there is to see of fake guests: consoles and diagnostics."""

from nova import errors
from nova.states import Power
from nova.task.handles import Host
from nova.virt.driver.console import Console
from nova.virt.fake.guests import Guests

_PORTS = {'novnc': 6080, 'spice-html5': 6082, 'spice-direct': 6082, 'rdp-html5': 6083, 'serial': 6083,
          'webmks': 6090}


class FakeLooks(Guests):
    """See `nova.virt.driver.console`."""

    def console_output(self, h: Host, lines: int | None = None) -> str:
        text = ['FAKE CONSOLE OUTPUT', 'ANOTHER', 'ONE MORE', 'LAST LINE', *self.guest(h).log]
        return '\n'.join(text if lines is None else text[-lines:] if lines > 0 else [])

    def console(self, h: Host, kind: str) -> Console:
        guest = self.guest(h)
        if kind not in _PORTS or guest.power not in (Power.RUNNING, Power.PAUSED):
            raise errors.virt.ConsoleTypeUnavailable(type=kind)
        return Console(f'{self.host}.example', _PORTS[kind], internal_access_path=guest.uuid)

    def diagnostics(self, h: Host) -> dict[str, object]:
        guest = self.guest(h)
        return {
            'state': 'pending' if guest.power == Power.NOSTATE else Power(guest.power).name.lower(),
            'driver': 'libvirt', 'hypervisor': 'fake',
            'hypervisor_os': 'fake', 'uptime': 0, 'config_drive': False, 'num_cpus': guest.vcpus,
            'num_nics': len(guest.interfaces), 'num_disks': 1 + len(guest.volumes),
            'cpu_details': [{'id': number, 'time': 0, 'utilisation': 0} for number in range(guest.vcpus)],
            'nic_details': [], 'disk_details': [],
            'memory_details': {'maximum': guest.memory_mb, 'used': 0}}
