"""The driver: `nova.virt.driver.Driver` over libvirt."""

import pathlib
from collections.abc import Callable
from typing import TYPE_CHECKING

from oslo_config import cfg

from nova import errors
from nova.common import threads
from nova.virt import driver
from nova.virt.libvirt import transfer
from nova.virt.libvirt.block import LibvirtVolumes
from nova.virt.libvirt.commands import Commands
from nova.virt.libvirt.inventory import LibvirtInventory
from nova.virt.libvirt.live import LibvirtLive
from nova.virt.libvirt.looks import LibvirtLooks
from nova.virt.libvirt.move import LibvirtCold, uri_of
from nova.virt.libvirt.net import LibvirtNet
from nova.virt.libvirt.session import Session
from nova.virt.libvirt.shares import LibvirtShares


class LibvirtDriver(LibvirtCold, LibvirtLive, LibvirtVolumes, LibvirtShares, LibvirtNet, LibvirtLooks,
                    LibvirtInventory):
    """See `nova.virt.driver.Driver`; `nova.virt.libvirt.guests.Guests` for the arguments."""

    capabilities = driver.Capabilities(
        attach_interface=True, device_tagging=False, extend_volume=True, multiattach=True,
        trusted_certs=True, image_types=('raw', 'qcow2', 'vmdk', 'vhd', 'vhdx', 'vdi', 'ami', 'iso'))

    @classmethod
    def build(cls, conf: cfg.ConfigOpts, host: str, state_dir: pathlib.Path | None,
              commands: Commands | None = None, reach: Callable[[str], str] | None = None) -> 'LibvirtDriver':
        """For the loader, which leaves `commands` and `reach` as they are on a real host.

        Raises:
            errors.Invalid: the process runs on eventlet, all of which a call of libvirt would hold up; live
                migrations are to be both tunnelled and encrypted by QEMU; or multipath is enforced, and
                multipathd does not run.
        """
        if threads.backend() == 'eventlet':
            raise errors.Invalid(
                'The driver libvirt needs threads: set [DEFAULT] concurrency_backend = threading.')
        if conf.libvirt.live_migration_tunnelled and conf.libvirt.live_migration_with_native_tls:
            raise errors.Invalid('[libvirt] live_migration_tunnelled and live_migration_with_native_tls exclude'
                                 ' each other: set one of them.')
        made = cls(conf, host, Session(conf.libvirt.connection_uri or 'qemu:///system'), commands or Commands(),
                   reach or (lambda address: uri_of(conf, address)))
        if conf.libvirt.volume_use_multipath and conf.libvirt.volume_enforce_multipath:
            try:
                made.connectors.properties(host)
            except errors.virt.DriverFailed as error:
                raise errors.Invalid(
                    f'[libvirt] volume_enforce_multipath is set, and there is no multipath: {error}') from error
        made.session.on_open = lambda conn: transfer.announce(conn, made.instances)
        return made


if TYPE_CHECKING:
    _DRIVER: type[driver.Driver] = LibvirtDriver
