"""Domain XML of guests and their devices."""

import copy
from collections.abc import Mapping

from lxml import etree
from lxml.etree import _Element as Element

from nova.virt.libvirt import spec

NAMESPACE = 'http://openstack.org/xmlns/libvirt/nova/1.1'
"""Of what is written about the server into its domain."""


def text(element: Element) -> str:
    """XML as libvirt takes it."""
    return etree.tostring(element, pretty_print=True, encoding='unicode')


def _add(parent: Element, tag: str, content: str | int | None = None, /,
         **attributes: str | int | None) -> Element:
    """A child element; attributes that are None are left out."""
    made = etree.SubElement(parent, tag, {
        key.rstrip('_'): str(value) for key, value in attributes.items() if value is not None})
    if content is not None:
        made.text = str(content)
    return made


def domain(guest: spec.Guest) -> Element:
    """The domain of a guest."""
    root = etree.Element('domain', {'type': guest.virt_type})
    _add(root, 'uuid', guest.uuid)
    _add(root, 'name', guest.name)
    _about(_add(root, 'metadata'), guest.about)
    _add(root, 'memory', guest.memory_mb * 1024, unit='KiB')
    if guest.tuning.page_kb or guest.tuning.shared_memory:
        _backing(root, guest.tuning)
    _add(root, 'vcpu', guest.vcpus)
    _tuning(root, guest)
    _sysinfo(root, guest)
    _boot(root, guest.boot)
    _features(root, guest)
    _cpu(root, guest)
    _clock(root, guest)
    for event, action in (('poweroff', 'destroy'), ('reboot', 'restart'), ('crash', 'destroy')):
        _add(root, f'on_{event}', action)
    _devices(_add(root, 'devices'), guest)
    return root


def _about(parent: Element, about: spec.About) -> None:
    def tag(name: str) -> str:
        return f'{{{NAMESPACE}}}{name}'
    top = etree.SubElement(parent, tag('instance'), nsmap={'nova': NAMESPACE})
    etree.SubElement(top, tag('name')).text = about.name
    etree.SubElement(top, tag('flavor'), {'name': about.flavor})
    owner = etree.SubElement(top, tag('owner'))
    etree.SubElement(owner, tag('user'), {'uuid': about.user})
    etree.SubElement(owner, tag('project'), {'uuid': about.project})
    if about.image:
        etree.SubElement(top, tag('root'), {'type': 'image', 'uuid': about.image})


def _backing(root: Element, tuning: spec.Tuning) -> None:
    backing = _add(root, 'memoryBacking')
    if tuning.page_kb:
        _add(_add(backing, 'hugepages'), 'page', size=tuning.page_kb, unit='KiB')
    if tuning.shared_memory:
        _add(backing, 'source', type='memfd')
        _add(backing, 'access', mode='shared')


def _tuning(root: Element, guest: spec.Guest) -> None:
    tuning = guest.tuning
    if tuning.cpu or tuning.pins or tuning.emulator:
        cpu = _add(root, 'cputune')
        for name, value in tuning.cpu:
            _add(cpu, name, value)
        for vcpu, cpus in tuning.pins:
            _add(cpu, 'vcpupin', vcpu=vcpu, cpuset=cpus)
        if tuning.emulator:
            _add(cpu, 'emulatorpin', cpuset=tuning.emulator)
    if guest.cells:
        memory = _add(root, 'numatune')
        nodes = ','.join(str(node) for node in sorted({cell.node for cell in guest.cells}))
        _add(memory, 'memory', mode='strict', nodeset=nodes)
        for cell in guest.cells:
            _add(memory, 'memnode', cellid=cell.id, mode='strict', nodeset=cell.node)


def _sysinfo(root: Element, guest: spec.Guest) -> None:
    system = _add(_add(root, 'sysinfo', type='smbios'), 'system')
    for name, value in (('manufacturer', 'OpenStack'), ('product', 'OpenStack Compute'),
                        ('serial', guest.uuid), ('uuid', guest.uuid), ('family', 'Virtual Machine')):
        _add(system, 'entry', value, name=name)


def _boot(root: Element, boot: spec.Boot) -> None:
    top = _add(root, 'os', firmware='efi' if boot.firmware == 'uefi' else None)
    _add(top, 'type', 'hvm', arch=boot.arch, machine=boot.machine)
    if boot.firmware == 'uefi':
        _add(top, 'loader', secure='yes' if boot.secure else 'no')
    for name, value in (('kernel', boot.kernel), ('initrd', boot.initrd), ('cmdline', boot.command_line)):
        if value:
            _add(top, name, value)
    if boot.menu:
        _add(top, 'bootmenu', enable='yes')
    _add(top, 'smbios', mode='sysinfo')


def _features(root: Element, guest: spec.Guest) -> None:
    features = _add(root, 'features')
    _add(features, 'acpi')
    _add(features, 'apic')
    if guest.boot.secure:
        _add(features, 'smm', state='on')
    if guest.hide_hypervisor:
        _add(_add(features, 'kvm'), 'hidden', state='on')
    if guest.tb_cache_mb is not None:
        _add(_add(features, 'tcg'), 'tb-cache', guest.tb_cache_mb, unit='MiB')


def _cpu(root: Element, guest: spec.Guest) -> None:
    cpu = guest.cpu
    element = _add(root, 'cpu', mode=None if cpu.mode == 'none' else cpu.mode,
                   match='exact' if cpu.mode == 'custom' else None)
    if cpu.mode == 'custom':
        _add(element, 'model', cpu.model, fallback='forbid')
    _add(element, 'topology', sockets=cpu.sockets, cores=cpu.cores, threads=cpu.threads)
    for name, policy in cpu.features:
        _add(element, 'feature', name=name, policy=policy)
    if guest.cells:
        numa = _add(element, 'numa')
        for cell in guest.cells:
            _add(numa, 'cell', id=cell.id, cpus=','.join(map(str, cell.cpus)), memory=cell.memory_kb,
                 unit='KiB')


def _clock(root: Element, guest: spec.Guest) -> None:
    clock = _add(root, 'clock', offset=guest.clock)
    _add(clock, 'timer', name='pit', tickpolicy='delay')
    _add(clock, 'timer', name='rtc', tickpolicy='catchup')
    _add(clock, 'timer', name='hpet', present='no')


def _devices(devices: Element, guest: spec.Guest) -> None:
    if guest.boot.machine is not None and 'q35' in guest.boot.machine:
        _add(devices, 'controller', type='pci', index=0, model='pcie-root')
        for _ in range(guest.pcie_ports):
            _add(devices, 'controller', type='pci', model='pcie-root-port')
    if guest.scsi_model:
        _add(devices, 'controller', type='scsi', index=0, model=guest.scsi_model)
    devices.extend(map(disk, guest.disks))
    devices.extend(map(filesystem, guest.filesystems))
    devices.extend(map(interface, guest.nics))
    _serial(devices, guest.serial)
    if guest.agent:
        _add(_add(devices, 'channel', type='unix'), 'target', type='virtio', name='org.qemu.guest_agent.0')
    _add(devices, 'input', type='tablet', bus='usb')
    for graphics in guest.graphics:
        element = _add(devices, 'graphics', type=graphics.kind, autoport='yes', listen=graphics.listen)
        _add(element, 'listen', type='address', address=graphics.listen)
    if guest.video:
        _add(_add(devices, 'video'), 'model', type=guest.video)
    for address in guest.pci_devices:
        devices.append(pci_device(address))
    for ident in guest.mdevs:
        mdev = _add(devices, 'hostdev', mode='subsystem', type='mdev', model='vfio-pci')
        _add(_add(mdev, 'source'), 'address', uuid=ident)
    if guest.tpm:
        backend = _add(_add(devices, 'tpm', model=guest.tpm.model), 'backend', type='emulator',
                       version=guest.tpm.version)
        if guest.tpm.secret:
            _add(backend, 'encryption', secret=guest.tpm.secret)
    if guest.watchdog:
        _add(devices, 'watchdog', model='i6300esb', action=guest.watchdog)
    if guest.rng:
        _add(_add(devices, 'rng', model='virtio'), 'backend', guest.rng, model='random')
    balloon = _add(devices, 'memballoon', model='virtio')
    if guest.balloon_period:
        _add(balloon, 'stats', period=guest.balloon_period)


def filesystem(shared: spec.Filesystem) -> Element:
    """A directory of the host, by virtiofs."""
    root = etree.Element('filesystem', {'type': 'mount', 'accessmode': 'passthrough'})
    _add(root, 'driver', type='virtiofs')
    _add(root, 'source', dir=shared.path)
    _add(root, 'target', dir=shared.tag)
    return root


def _serial(devices: Element, serial: spec.Serial) -> None:
    element = _add(devices, 'serial', type='tcp' if serial.port else 'pty')
    if serial.port:
        _add(element, 'source', mode='bind', host=serial.host, service=serial.port)
        _add(element, 'protocol', type='raw')
    _add(element, 'log', file=serial.log, append='off')
    _add(element, 'target', port=0)


def disk(one: spec.Disk) -> Element:
    """The element of a disk, as part of a domain or to be plugged in."""
    element = etree.Element('disk', {'type': one.kind, 'device': one.device})
    _add(element, 'driver', name='qemu', type=one.format, cache=one.cache, discard=one.discard, io=one.io)
    if one.kind == 'network':
        if one.auth:
            auth = _add(element, 'auth', username=one.user)
            _add(auth, 'secret', type='ceph', uuid=one.auth)
        source = _add(element, 'source', protocol=one.protocol, name=one.path)
        for name, port in one.hosts:
            _add(source, 'host', name=name, port=port)
    else:
        source = _add(element, 'source', **{'dev' if one.kind == 'block' else 'file': one.path})
    if one.secret:
        secret = _add(source, 'encryption', format=one.secret.format)
        _add(secret, 'secret', type='passphrase', uuid=one.secret.uuid)
    _add(element, 'target', dev=one.target, bus=one.bus)
    if one.tune:
        tune = _add(element, 'iotune')
        for name, value in one.tune:
            _add(tune, name, value)
    if one.readonly:
        _add(element, 'readonly')
    if one.shared:
        _add(element, 'shareable')
    if one.serial:
        _add(element, 'serial', one.serial)
    if one.boot is not None:
        _add(element, 'boot', order=one.boot)
    if one.alias:
        _add(element, 'alias', name=one.alias)
    return element


def interface(nic: spec.Nic) -> Element:
    """The element of an interface, as part of a domain or to be plugged in."""
    element = pci_device(str(nic.source)) if nic.kind == 'card' else _interface(nic)
    if nic.alias:
        _add(element, 'alias', name=nic.alias)
    return element


def _interface(nic: spec.Nic) -> Element:
    element = etree.Element('interface', {'type': nic.kind})
    if nic.kind == 'hostdev':
        element.set('managed', 'yes')
    if nic.mac:
        _add(element, 'mac', address=nic.mac)
    if nic.kind == 'bridge':
        _add(element, 'source', bridge=nic.source)
    if nic.kind == 'direct':
        _add(element, 'source', dev=nic.source, mode='passthrough')
    if nic.kind == 'hostdev':
        _pci_address(_add(element, 'source'), str(nic.source), type='pci')
    if nic.vlan:
        _add(_add(element, 'vlan'), 'tag', id=nic.vlan)
    if nic.virtual_port:
        _add(_add(element, 'virtualport', type='openvswitch'), 'parameters', interfaceid=nic.virtual_port)
    if nic.kind == 'hostdev':
        return element
    _add(element, 'model', type=nic.model)
    if nic.queues:
        _add(element, 'driver', name='vhost' if nic.model == 'virtio' else None, queues=nic.queues)
    if nic.mtu:
        _add(element, 'mtu', size=nic.mtu)
    if nic.target:
        _add(element, 'target', dev=nic.target, managed='no' if nic.kind == 'ethernet' else None)
    return element


def pci_device(address: str) -> Element:
    """A device of the host that the guest gets, by its address ``0000:0a:00.1``."""
    element = etree.Element('hostdev', {'mode': 'subsystem', 'type': 'pci', 'managed': 'yes'})
    _pci_address(_add(element, 'source'), address)
    return element


def _pci_address(parent: Element, address: str, **more: str) -> None:
    domain_, bus, rest = address.split(':')
    slot, function = rest.split('.')
    _add(parent, 'address', **more, domain=f'0x{domain_}', bus=f'0x{bus}', slot=f'0x{slot}',
         function=f'0x{function}')


def find_device(tree: Element, alias: str) -> Element | None:
    """The device of a domain that has this alias."""
    for element in tree.findall('./devices/*/alias'):
        if element.get('name') == alias:
            return element.getparent()
    return None


def moved(tree: Element, paths: Mapping[str, str], listen: str | None = None,
          serial: str | None = None, secrets: Mapping[str, str] | None = None) -> Element:
    """A domain as its destination has it: what begins with a path of the source begins with another,
    graphics listen on the destination's address, the serial console on its port, and keys are known by the
    names that they have there."""
    for each in tree.findall('./devices/disk//encryption/secret'):
        each.set('uuid', (secrets or {}).get(each.get('uuid'), each.get('uuid')))
    for element in tree.iter():
        for name in ('file', 'dev'):
            value = element.get(name)
            for old, new in paths.items():
                if value is not None and value.startswith(old):
                    element.set(name, new + value.removeprefix(old))
    for graphics in tree.findall('./devices/graphics'):
        if listen is not None:
            graphics.set('listen', listen)
            for each in graphics.findall('listen'):
                each.set('address', listen)
    for source_ in tree.findall("./devices/serial[@type='tcp']/source"):
        if serial is not None:
            source_.set('service', serial)
    return tree


def pin(tree: Element, pins: Mapping[str, str], nodes: Mapping[str, int]) -> None:
    """Give a domain other CPUs and NUMA cells of its host.

    Args:
        pins: CPU of the guest to CPU of the host.
        nodes: NUMA cell of the guest to that of the host.
    """
    for each in tree.findall('./cputune/vcpupin'):
        each.set('cpuset', pins.get(each.get('vcpu'), each.get('cpuset')))
    for each in tree.findall('./cputune/emulatorpin') if pins else ():
        each.set('cpuset', ','.join(sorted(set(pins.values()), key=int)))
    for each in tree.findall('./numatune/memnode'):
        each.set('nodeset', str(nodes.get(each.get('cellid'), each.get('nodeset'))))
    for each in tree.findall('./numatune/memory') if nodes else ():
        each.set('nodeset', ','.join(map(str, sorted(set(nodes.values())))))


def source(disk_: Element) -> str | None:
    """What a disk, or what it lies over, is of: its file, device, or name on the network."""
    found = disk_.find('source')
    if found is None:
        return None
    return found.get('file') or found.get('dev') or found.get('name')


def find_source(tree: Element, path: str) -> Element | None:
    """The disk of a domain that is of this file, device or name, or lies over it since a snapshot was made."""
    disks = tree.findall('./devices/disk')
    mine = [each for each in disks if source(each) == path]
    mine += [each for each in disks for below in each.iter('backingStore') if source(below) == path]
    return mine[0] if mine else None


def secret(uuid: str, volume_id: str) -> Element:
    """A secret that opens a volume."""
    root = etree.Element('secret', {'ephemeral': 'no', 'private': 'yes'})
    _add(root, 'uuid', uuid)
    _add(root, 'description', f'key of volume {volume_id}')
    _add(_add(root, 'usage', type='volume'), 'volume', volume_id)
    return root


def tpm_secret(server: str) -> Element:
    """A secret that opens what the TPM of a server keeps; libvirt has it in memory alone, and shows nobody."""
    root = etree.Element('secret', {'ephemeral': 'yes', 'private': 'yes'})
    _add(root, 'uuid', server)
    _add(root, 'description', f'passphrase of the TPM of server {server}')
    _add(_add(root, 'usage', type='vtpm'), 'name', server)
    return root


def snapshot(target: str, file: str, tree: Element) -> Element:
    """A snapshot of one disk, into a file that is there, encrypted as the disk is; none of the others."""
    root = etree.Element('domainsnapshot')
    disks = _add(root, 'disks')
    for each in tree.findall('./devices/disk/target'):
        name = each.get('dev')
        if name == target:
            one = _add(disks, 'disk', name=name, snapshot='external', type='file')
            into = _add(one, 'source', file=file)
            into.extend(copy.deepcopy(each.getparent().findall('./source/encryption')))
        else:
            _add(disks, 'disk', name=name, snapshot='no')
    return root
