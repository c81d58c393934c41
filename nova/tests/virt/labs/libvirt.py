"""Simulated hosts with a libvirtd each, and guests of QEMU: see tools/guest."""

import hashlib
import pathlib
import re
import subprocess
import types
import uuid

from nova import conf as nova_conf
from nova import errors, objects
from nova.clients.fake.image import FakeImage
from nova.keymgr.conf_key_mgr import KEY_ID
from nova.tests.fixtures import keys, waiting
from nova.tests.virt.labs.base import PATIENCE, Lab, Site
from nova.virt.libvirt.commands import Commands
from nova.virt.libvirt.driver import LibvirtDriver

TOOLS = pathlib.Path(__file__).parents[4] / 'tools' / 'guest'
FIXED_KEY = 'a5' * 32
CACHE = pathlib.Path(__file__).parents[4] / '.guest'


class LibvirtLab(Lab):
    """Args: directory, for hosts and volumes; it is kept short by a link, sockets lie below it."""

    def __init__(self, directory):
        super().__init__()
        self._mounted = []
        subprocess.run([TOOLS / 'build', CACHE], check=True, capture_output=True)
        tag = uuid.uuid4().hex[:4]
        self.hosts = pathlib.Path(f'/tmp/nova-{tag}')
        self.env = {'NOVA_HOSTS': str(self.hosts), 'NOVA_HOSTS_PREFIX': f'n{tag}',
                     'PATH': '/usr/sbin:/usr/bin:/sbin:/bin'}
        self.tool('up', '2')
        self.volumes = directory / 'volumes'
        self.volumes.mkdir()
        self.clients = types.SimpleNamespace(image=FakeImage())
        data = (CACHE / 'guest.qcow2').read_bytes()
        self.image = self.clients.image.add(data=data, disk_format='qcow2')
        for name in ('h1', 'h2'):
            self.sites[name] = self._site(name)

    def tool(self, *command):
        """Run tools/guest/hosts."""
        return subprocess.run([TOOLS / 'hosts', *command], check=True, env=self.env, capture_output=True,
                              text=True).stdout

    def socket(self, name):
        return f'qemu+unix:///system?socket={self.hosts}/{name}/run/libvirt-sock'

    def _site(self, name):
        conf = nova_conf.new(config_files=[], **{
            'instances_path': str(self.hosts / name / 'instances'), 'my_ip': self.address(name),
            'shutdown_timeout': 3, 'libvirt.virt_type': 'qemu', 'libvirt.connection_uri': self.socket(name),
            'libvirt.cpu_mode': 'custom', 'libvirt.cpu_models': ['Nehalem'], 'libvirt.tb_cache_size': 48,
            'libvirt.wait_soft_reboot_seconds': 30, 'libvirt.device_detach_attempts': int(PATIENCE / 5),
            'libvirt.device_detach_timeout': 5, 'libvirt.nfs_mount_point_base': str(self.hosts / 'shares'),
            'libvirt.swtpm_enabled': True, 'state_path': str(self.hosts / name),
            'key_manager.fixed_key': FIXED_KEY})
        driver = LibvirtDriver.build(conf, name, None, Commands(self.prefix(name)), self.reach)
        conf.set_override('backend', keys.BACKEND, 'key_manager')
        return Site(name, driver, conf)

    def init(self, name):
        """Pid of the first process of a host."""
        return (self.hosts / name / 'init.pid').read_text().strip()

    def prefix(self, name):
        """What runs a program in a host's network."""
        return ['nsenter', '-t', self.init(name), '-n', '--']

    def reach(self, address):
        """libvirt of the host with an address, from outside of the hosts."""
        return next(self.socket(name) for name in ('h1', 'h2') if self.address(name) == address)

    def forget_image(self, name):
        """As if the image had never been fetched."""
        found = self.sites[name].driver.cache.find(self.image)
        if found is not None:
            found.unlink()

    def address(self, host):
        return f'10.99.0.1{host.removeprefix("h")}'

    def volume(self, megabytes=8):
        ident = str(uuid.uuid4())
        path = self.volumes / ident
        with path.open('wb') as file:
            file.write(ident.encode())
            file.truncate(megabytes << 20)
        device = objects.BlockDeviceMapping(
            uuid=str(uuid.uuid4()), volume_id=ident, source_type='volume', destination_type='volume',
            device_name='/dev/vdb', volume_size=1)
        return device, {'driver_volume_type': 'local', 'device_path': str(path)}

    def encrypted_volume(self, megabytes=8):
        """A volume that QEMU opens with the one key there is; its guest sees `megabytes`, and zeros."""
        device, connection = self.volume()
        path = self.volumes / device.volume_id
        path.unlink()
        self.luks('create', path, f'{megabytes}M')
        return device, {**connection, 'encrypted': True, 'encryption': {
            'provider': 'luks', 'encryption_key_id': KEY_ID}}

    def luks(self, command, path, *more):
        """Run qemu-img on the data of an encrypted volume."""
        secret = ['--object', f'secret,id=key,data={FIXED_KEY}']
        if command == 'create':
            words = ['create', *secret, '-f', 'luks', '-o', 'key-secret=key,iter-time=100', path, *more]
        else:
            words = ['convert', *secret, '--image-opts', '-O', 'raw',
                     f'driver=luks,key-secret=key,file.filename={path}', *more]

        def done():
            # It first measures the processor, and gives up where the kernel counts time by ticks and no tick
            # fell into the measurement: of quick machines every third time.
            try:
                Commands().run('qemu-img', *map(str, words))
            except errors.virt.DriverFailed as error:
                if 'Unable to get accurate CPU usage' not in error.message:
                    raise
                return False
            return True
        waiting.until(done)

    def share(self, export):
        """A directory of this machine that each host has mounted as the NFS share `export`."""
        kept = self.volumes / export.replace('/', '_')
        name = hashlib.md5(export.encode(), usedforsecurity=False).hexdigest()
        mounted = self.hosts / 'shares' / name
        for directory in (kept, mounted):
            directory.mkdir(parents=True)
        enter = [[], *(['nsenter', '-t', self.init(host), '-m', '--'] for host in self.sites)]
        for words in enter:
            subprocess.run([*words, 'mount', '--bind', kept, mounted], check=True)
        self._mounted.append(mounted)
        return kept

    def file_share(self, h, share):
        """Have h1 find a directory of this machine where it would mount a share for a guest."""
        kept = self.volumes / share.share_id
        point = h.driver.mounts.point(h.instance.uuid, share.share_id, share.to_wire()['nova_object.data'])
        for directory in (kept, point):
            directory.mkdir(parents=True)
        (kept / 'hello').write_text('a file of the share')
        for words in ([], ['nsenter', '-t', self.init('h1'), '-m', '--']):
            subprocess.run([*words, 'mount', '--bind', kept, point], check=True)

    def on_share(self, export, kept, megabytes=8, kind='raw'):
        """A volume that is a file of a share."""
        device, _ = self.volume()
        path = kept / f'volume-{device.volume_id}'
        subprocess.run(['qemu-img', 'create', '-q', '-f', kind, path, f'{megabytes}M'], check=True)
        return device, {'driver_volume_type': 'nfs', 'export': export, 'name': path.name, 'format': kind}

    def secrets(self, name):
        """Uuids of the keys that a host's libvirt has."""
        return set(self.sites[name].driver.session.conn.listSecrets())

    def clean(self):
        super().clean()
        for site in self.sites.values():  # what a test that failed has left
            for uuid_ in site.driver.session.conn.listSecrets():
                site.driver.session.conn.secretLookupByUUIDString(uuid_).undefine()

    def root_volume(self):
        """A volume that a guest boots from."""
        device, connection = self.volume()
        (self.volumes / device.volume_id).write_bytes((CACHE / 'guest.raw').read_bytes())
        device.boot_index, device.device_name = 0, '/dev/vda'
        return device, connection

    def grow(self, device, megabytes):
        with (self.volumes / device.volume_id).open('r+b') as file:
            file.truncate(megabytes << 20)

    def vif(self):
        ident = str(uuid.uuid4())
        return objects.VIF(id=ident, address=f'fa:16:3e:{ident[0:2]}:{ident[2:4]}:{ident[4:6]}', type='bridge',
                           devname=f'tap{ident}'[:14], network=objects.Network(id='net', bridge='br100'))

    def said_at(self, name, port):
        """The first that a port of a host says; its loopback is its own."""
        return subprocess.run(
            [*self.prefix(name), 'bash', '-c', f'exec 3<>/dev/tcp/127.0.0.1/{port}; head -c 12 <&3'],
            check=True, capture_output=True, timeout=30).stdout

    def say(self, name, port, text):
        """Type a line at a port of a host."""
        subprocess.run([*self.prefix(name), 'bash', '-c',
                        f'exec 3<>/dev/tcp/127.0.0.1/{port}; sleep 1; printf "%s\\n" "$0" >&3; sleep 2', text],
                       check=True, capture_output=True, timeout=60)

    # Guests

    def log(self, h):
        return h.driver.console_output(h)

    def wait(self, h, pattern, seconds=PATIENCE):
        """The first match on the guest's console."""
        return waiting.until(
            lambda: re.search(pattern, self.log(h)), seconds, 0.1,
            lambda: f'{pattern!r} is not on the console, which ends with {self.log(h)[-400:]!r}')

    def ready(self, h):
        self.wait(h, 'GUEST ready')

    def sees(self, h, what, there=True):
        """The last that the guest says of its disks and interfaces names it, or not."""
        if there:
            return bool(self.wait(h, f'GUEST .*{self._shown(what)}'))
        return self.until(lambda: self._shown(what) not in self._heartbeat(h))

    def _heartbeat(self, h):
        """The last of what the guest says every five seconds, its disks and interfaces among it."""
        return [line for line in self.log(h).splitlines() if line.startswith('GUEST heartbeat')][-1]

    def _shown(self, what):
        """A volume's serial number as a virtio disk cuts it; the address of an interface."""
        return self.macs.get(what, what[:20])

    @property
    def macs(self):
        return {vif.id: vif.address for made in self.made if made.network_info
                for vif in made.network_info.vifs}

    def data_of(self, image_id):
        return self.clients.image.data[image_id]

    def end(self):
        for mounted in self._mounted:
            subprocess.run(['umount', mounted], check=True)
        self.tool('down')
