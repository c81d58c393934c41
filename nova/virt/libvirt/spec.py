"""A guest as its hypervisor is to make it: plain values, from which all XML is rendered."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """What opens an encrypted disk: the uuid under which libvirt knows the key."""

    uuid: str
    format: str = 'luks'


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A disk.

    Attributes:
        target: its name in the domain: vda, sda ...
        bus: virtio, scsi, sata, ide, usb.
        kind: file, block or network.
        path: of the file or block device; name of the volume where it is on the network.
        format: raw or qcow2.
        protocol, hosts: of a disk on the network: rbd, and name and port of its servers.
        device: disk, cdrom or lun.
        serial: what the guest sees as its serial number.
        boot: position in the boot order, from 1; None is no part of it.
        shared: other guests write to it too.
        alias: the name by which events call it; must begin with ``ua-``.
    """

    target: str
    path: str
    bus: str = 'virtio'
    kind: str = 'file'
    format: str = 'raw'
    protocol: str | None = None
    hosts: tuple[tuple[str, str], ...] = ()
    user: str | None = None
    auth: str | None = None
    device: str = 'disk'
    serial: str | None = None
    boot: int | None = None
    cache: str | None = None
    discard: str | None = None
    io: str | None = None
    shared: bool = False
    readonly: bool = False
    alias: str | None = None
    secret: Secret | None = None
    tune: tuple[tuple[str, int], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tpm:
    """An emulated TPM; `secret` is the uuid under which libvirt knows what opens it."""

    version: str
    model: str = 'tpm-tis'
    secret: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """A directory of the host that the guest mounts by its tag."""

    tag: str
    path: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Nic:
    """A network interface.

    Attributes:
        mac: its address; None lets libvirt choose.
        kind: bridge (libvirt makes the tap and puts it in `source`), ethernet (the tap `target` is there),
            hostdev (it is the virtual function `source`), direct (it is all that the interface `source` of the
            host does), card (the guest gets the device `source`, a whole card).
        source: name of the bridge, or of an interface of the host, or address of a device.
        vlan: tag that a virtual function puts on.
        target: name of the tap on the host.
        model: virtio, e1000 ...
        virtual_port: id of the Open vSwitch interface, where the bridge is one.
    """

    kind: str
    target: str | None = None
    mac: str | None = None
    source: str | None = None
    model: str = 'virtio'
    mtu: int | None = None
    queues: int | None = None
    virtual_port: str | None = None
    vlan: int | None = None
    alias: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """`mode` is host-model, host-passthrough, custom, maximum or none; sockets x cores x threads are all CPUs;
    `features` are names and require or disable."""

    mode: str
    model: str | None = None
    sockets: int = 1
    cores: int = 1
    threads: int = 1
    features: tuple[tuple[str, str], ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A NUMA cell of the guest: its CPUs, its memory, and the host's cell that both are on."""

    id: int
    cpus: tuple[int, ...]
    memory_kb: int
    node: int


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """The serial console, whose output goes to `log`; on a TCP port where one is given."""

    log: str
    host: str | None = None
    port: int | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Graphics:
    """`kind` is vnc or spice; `listen` is an address of the host, which chooses the port."""

    kind: str
    listen: str


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Boot:
    """How it starts: from its disks, or with a kernel that the host has."""

    machine: str | None = None
    arch: str = 'x86_64'
    firmware: str = 'bios'
    secure: bool = False
    menu: bool = False
    kernel: str | None = None
    initrd: str | None = None
    command_line: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is written into the domain about the server, for people who look at it with other tools."""

    name: str
    flavor: str
    project: str
    user: str
    image: str | None = None


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """Shares and bounds: ``cpu_shares``, ``cpu_quota``, ``cpu_period`` as libvirt names them, in order; pinned
    CPUs; the pages of its memory."""

    cpu: tuple[tuple[str, int], ...] = ()
    pins: tuple[tuple[int, str], ...] = ()
    emulator: str | None = None
    page_kb: int | None = None
    shared_memory: bool = False


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A whole guest; see the parts."""

    uuid: str
    name: str
    virt_type: str
    memory_mb: int
    vcpus: int
    cpu: Cpu
    boot: Boot
    about: About
    serial: Serial
    cells: tuple[Cell, ...] = ()
    tuning: Tuning = dataclasses.field(default_factory=Tuning)
    disks: tuple[Disk, ...] = ()
    filesystems: tuple[Filesystem, ...] = ()
    nics: tuple[Nic, ...] = ()
    graphics: tuple[Graphics, ...] = ()
    video: str | None = 'vga'
    pci_devices: tuple[str, ...] = ()
    mdevs: tuple[str, ...] = ()
    pcie_ports: int = 16
    scsi_model: str | None = None
    agent: bool = False
    rng: str | None = None
    tpm: Tpm | None = None
    watchdog: str | None = None
    balloon_period: int = 0
    tb_cache_mb: int | None = None
    clock: str = 'utc'
    hide_hypervisor: bool = False
