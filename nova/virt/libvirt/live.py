"""Guests that go from one host to another while they run."""

import logging
import pathlib
import shutil
import uuid
from typing import cast

import libvirt
from lxml import etree

from nova import errors
from nova.common import clock, threads
from nova.objects import MigrationProgress
from nova.states import Power, Signal
from nova.task.handles import Host
from nova.virt.driver import kept
from nova.virt.driver.move import LiveData, LiveMove
from nova.virt.libvirt import serial, transfer, vif, xml
from nova.virt.libvirt.guests import UNDEFINE, power_of, vifs_of
from nova.virt.libvirt.move import in_uri, uri_of
from nova.virt.libvirt.power import LibvirtPower
from nova.virt.libvirt.session import translated
from nova.virt.libvirt.tpms import closing

LOG = logging.getLogger(__name__)

LOOK = 0.5
"""Seconds between two looks at a migration."""


class LibvirtLive(LibvirtPower):
    """See `nova.virt.driver.move.LiveDriver`.

    The data that the hosts tell each other: ``home`` is the guest's directory at the destination, ``address``
    and ``listen`` where migrations and consoles listen there, ``mark`` a file at the destination that the
    source sees where they share storage, ``models`` the CPU models that run there, ``volumes`` and ``secrets``
    what volumes and their keys are called there; the source adds
    ``block_migration``, ``shared`` and ``disks``, the sizes of those that are copied.
    """

    @translated
    def check_destination(self, h: Host, move: LiveMove) -> LiveData:
        if self.session.find(h.instance.uuid) is not None:
            raise errors.virt.MigrationImpossible(
                server=h.instance.uuid, reason=f'host {self.host} has a guest of it already')
        for each in self.instances.glob('.shared-*'):
            if each.stat().st_mtime < clock.timestamp() - 3600:
                each.unlink(missing_ok=True)
        mark = self.instances / f'.shared-{uuid.uuid5(uuid.NAMESPACE_OID, move.migration)}'
        mark.touch()
        conf = self.conf
        return {'home': str(self.paths(h).home), 'mark': mark.name, 'models': self._models(),
                'address': conf.libvirt.live_migration_inbound_addr or conf.my_ip,
                'listen': conf.vnc.server_listen}

    def _models(self) -> list[str]:
        offered = etree.fromstring(self.session.conn.getDomainCapabilities(
            None, 'x86_64', None, self.conf.libvirt.virt_type))
        return sorted(each.text for each in offered.findall("./cpu/mode[@name='custom']/model")
                      if each.get('usable') == 'yes')

    @translated
    def check_source(self, h: Host, move: LiveMove, data: LiveData) -> LiveData:
        kept.check_no_shares(h)
        domain = self.expect(h, 'live migration', Power.RUNNING, Power.PAUSED)
        tree = self.tree(domain)

        def impossible(reason: str) -> errors.virt.MigrationImpossible:
            return errors.virt.MigrationImpossible(server=h.instance.uuid, reason=reason)
        model = tree.findtext('./cpu/model')
        if model and model not in cast(list[str], data['models']):
            raise impossible(f'its CPU is {model}, which {move.dest} does not have')
        if tree.find('./devices/hostdev') is not None or any(
                each.get('type') in ('hostdev', 'direct') for each in tree.findall('./devices/interface')):
            raise impossible('it has devices of the host to itself')
        shared = (self.instances / str(data['mark'])).exists()
        disks = {each.find('target').get('dev'): self._size(domain, each) for each in self._local(h, tree)}
        block = bool(disks) and not shared if move.block_migration is None else bool(move.block_migration)
        if block and shared:
            raise impossible('block migration cannot be used with shared storage')
        if not block and disks and not shared:
            raise impossible(f'{move.dest} is not on shared storage: block migration is needed')
        return {**data, 'block_migration': block, 'shared': shared, 'disks': disks if block else {}}

    def _local(self, h: Host, tree: etree._Element) -> list[etree._Element]:
        """The disks that are files of the guest's own and that it writes to."""
        home = str(self.paths(h).home)
        return [each for each in tree.findall('./devices/disk')
                if (xml.source(each) or '').startswith(home + '/') and each.find('readonly') is None]

    def _size(self, domain: libvirt.virDomain, disk: etree._Element) -> list[object]:
        path = str(xml.source(disk))
        return [pathlib.Path(path).name, domain.blockInfo(path)[0], disk.find('driver').get('type')]

    @translated
    def prepare_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> LiveData:
        claimed = self.claims.claim(h)
        paths = self.paths(h)
        (self.instances / str(data['mark'])).unlink(missing_ok=True)
        paths.home.mkdir(parents=True, exist_ok=True)
        for name, size, kind in cast(dict[str, list[str]], data['disks']).values():
            if not (paths.home / name).exists():
                self.commands.run('qemu-img', 'create', '-q', '-f', kind, str(paths.home / name), str(size))
        for volume, connection in kept.connections(h).items():
            self.volumes.bring(h, volume, connection)
        for each in vifs_of(h):
            vif.plug(self.commands, each)
        self.tpms.open(h)
        kept.keep_record(h)
        here = kept.connections(h)
        return {**data, 'serial': serial.port(h, self.conf),
                'volumes': {volume: _path(connection) for volume, connection in here.items()},
                'secrets': {volume: connection.get('secret') for volume, connection in here.items()},
                'nodes': {str(cell.id): cell.node for cell in claimed.cells},
                'pins': {str(vcpu): str(cpu) for cell in claimed.cells for vcpu, cpu in cell.pinned.items()}}

    # The migration itself

    @translated
    def live_migrate(self, h: Host, move: LiveMove, data: LiveData) -> None:
        domain = self.session.find(h.instance.uuid)
        if domain is None:
            if self._arrived(h, move):
                return
            raise errors.virt.GuestNotFound(server=h.instance.uuid)
        if not _under_way(domain):
            self._bring_drive(h, move, data)
        failure: list[libvirt.libvirtError] = []
        ended = threads.event()

        def run() -> None:
            try:
                there = uri_of(self.conf, str(data['address']))
                domain.migrateToURI3(there, self._parameters(h, domain, data), self._flags(h, data))
            except libvirt.libvirtError as error:
                failure.append(error)
            finally:
                ended.set()
        if _under_way(domain):
            LOG.info('The migration of server %s is under way already', h.instance.uuid)
            threads.start('migration', _wait, domain, ended)
        else:
            threads.start('migration', run)
        cancelled = self._watch(h, domain, ended)
        if self.session.find(h.instance.uuid) is None or not domain.isActive():
            return
        if cancelled:
            raise errors.task.Cancelled(task=h.task)
        raise errors.virt.MigrationFailed(
            server=h.instance.uuid, reason=str(failure[0]) if failure else 'it runs on the source still')

    def _arrived(self, h: Host, move: LiveMove) -> bool:
        """Whether the guest runs at the destination."""
        conn = libvirt.open(self._reach(str(move.dest_ip)))
        try:
            return bool(conn.lookupByUUIDString(h.instance.uuid).isActive())
        except libvirt.libvirtError as error:
            if error.get_error_code() == libvirt.VIR_ERR_NO_DOMAIN:
                return False
            raise
        finally:
            conn.close()

    def _bring_drive(self, h: Host, move: LiveMove, data: LiveData) -> None:
        """The config drive is no disk that libvirt copies."""
        config = self.paths(h).config
        if not config.exists() or data['shared']:
            return
        conn = libvirt.open(self._reach(str(move.dest_ip)))
        try:
            with transfer.Directory(conn, pathlib.Path(str(data['home'])), h.instance.uuid) as there:
                there.put(config, config.name)
        finally:
            conn.close()

    def _flags(self, h: Host, data: LiveData) -> int:
        conf = self.conf.libvirt
        flags = (libvirt.VIR_MIGRATE_LIVE | libvirt.VIR_MIGRATE_PEER2PEER | libvirt.VIR_MIGRATE_PERSIST_DEST
                 | libvirt.VIR_MIGRATE_UNDEFINE_SOURCE)
        for wanted, flag in (
                (data['block_migration'], libvirt.VIR_MIGRATE_NON_SHARED_DISK),
                (conf.live_migration_permit_auto_converge, libvirt.VIR_MIGRATE_AUTO_CONVERGE),
                (conf.live_migration_permit_post_copy, libvirt.VIR_MIGRATE_POSTCOPY),
                (conf.live_migration_with_native_tls, libvirt.VIR_MIGRATE_TLS),
                (self._tunnelled(data), libvirt.VIR_MIGRATE_TUNNELLED),
                # Both hosts have been seen to see the same files, and nothing is in the host's cache.
                ((data['shared'] or data.get('volumes')) and self._uncached(), libvirt.VIR_MIGRATE_UNSAFE)):
            flags |= flag if wanted else 0
        return int(flags)

    def _tunnelled(self, data: LiveData) -> bool:
        return bool(self.conf.libvirt.live_migration_tunnelled and not data['block_migration'])

    def _uncached(self) -> bool:
        return all(not pair.startswith('file=') or pair in ('file=none', 'file=directsync')
                   for pair in self.conf.libvirt.disk_cachemodes)

    def _parameters(self, h: Host, domain: libvirt.virDomain, data: LiveData) -> dict[str, object]:
        there = self._there(h, domain, data)
        found: dict[str, object] = {
            libvirt.VIR_MIGRATE_PARAM_DEST_XML: there, libvirt.VIR_MIGRATE_PARAM_PERSIST_XML: there,
            libvirt.VIR_MIGRATE_PARAM_BANDWIDTH: self.conf.libvirt.live_migration_bandwidth}
        if not self._tunnelled(data):
            found[libvirt.VIR_MIGRATE_PARAM_URI] = f'tcp://{in_uri(str(data["address"]))}'
        if data['block_migration']:
            found[libvirt.VIR_MIGRATE_PARAM_MIGRATE_DISKS] = list(cast(dict[str, object], data['disks']))
        return found

    def _there(self, h: Host, domain: libvirt.virDomain, data: LiveData) -> str:
        """The domain as the destination has it."""
        tree = etree.fromstring(domain.XMLDesc(libvirt.VIR_DOMAIN_XML_MIGRATABLE))
        paths = {str(self.paths(h).home) + '/': str(data['home']) + '/'}
        there = cast(dict[str, str], data.get('volumes') or {})
        keys, secrets = cast(dict[str, str], data.get('secrets') or {}), {}
        for volume, connection in kept.connections(h).items():
            if there.get(volume):
                paths[_path(connection)] = there[volume]
            if keys.get(volume):
                secrets[str(connection.get('secret'))] = keys[volume]
        xml.pin(tree, cast(dict[str, str], data.get('pins') or {}),
                cast(dict[str, int], data.get('nodes') or {}))
        port = data.get('serial')
        return xml.text(xml.moved(tree, paths, str(data['listen']), str(port) if port else None, secrets))

    def _watch(self, h: Host, domain: libvirt.virDomain, ended: threads.Event) -> bool:
        """Tell progress and hear signals until the migration has ended; whether it was cancelled."""
        cancelled, hurried = False, False
        gib = max(2, (h.instance.memory_mb >> 10) + (h.instance.root_gb or 0))
        patience = self.conf.libvirt.live_migration_completion_timeout
        deadline = clock.Deadline(patience * gib if patience else None)
        while not ended.wait(LOOK):
            try:
                late, action = deadline.passed(), self.conf.libvirt.live_migration_timeout_action
                if (h.cancelled.is_set() or Signal.ABORT in h.signals or (late and action == 'abort')
                        ) and not cancelled:
                    domain.abortJob()
                    cancelled = True
                elif not hurried and (h.signals or late):
                    hurried = self._hurry(domain, Signal.POST_COPY in h.signals)
                self._tell(h, domain.jobStats())
            except libvirt.libvirtError as error:
                # It may have ended just now; what `ended` says counts.
                LOG.debug('Looking at the migration of server %s: %s', h.instance.uuid, error)
        return cancelled

    def _hurry(self, domain: libvirt.virDomain, post_copy: bool) -> bool:
        """Make an end of copying: let the guest go on there before its memory does, or stand still here."""
        if post_copy or self.conf.libvirt.live_migration_permit_post_copy:
            domain.migrateStartPostCopy(0)
        else:
            domain.migrateSetMaxSpeed(8192, 0)
            domain.suspend()
        return True

    def _tell(self, h: Host, job: dict[str, int]) -> None:
        total = job.get('data_total', 0)
        done = max(0, total - job.get('data_remaining', 0))
        h.progress(MigrationProgress(
            percent=min(99, 100 * done // total) if total else 0,
            **{f'{kind}_{what}': job.get(f'{kind}_{what}', 0)
               for kind in ('memory', 'disk') for what in ('total', 'processed', 'remaining')}))

    # Afterwards

    @translated
    @closing
    def finish_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        domain = self.domain(h)
        if power_of(domain) == Power.PAUSED and domain.state()[1] == libvirt.VIR_DOMAIN_PAUSED_MIGRATION:
            raise errors.virt.DriverFailed(reason=f'the guest of {h.instance.uuid} has not arrived yet')
        self.claim(h)
        kept.keep_record(h)

    @translated
    def leave_after_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        domain = self.session.find(h.instance.uuid)
        if domain is not None:
            if domain.isActive():
                raise errors.virt.DriverFailed(
                    reason=f'the guest of {h.instance.uuid} runs on {self.host} still')
            domain.undefineFlags(UNDEFINE)
        self._forget(h, data)

    def _forget(self, h: Host, data: LiveData) -> None:
        for each in vifs_of(h):
            vif.unplug(self.commands, each)
        if not data.get('shared'):
            shutil.rmtree(self.paths(h).home, ignore_errors=True)
        self.unclaim(h)
        serial.release(h)
        h.journal.put(kept.RECORD, None)

    @translated
    @closing
    def rollback_live_migration(self, h: Host, move: LiveMove, data: LiveData) -> None:
        domain = self.session.find(h.instance.uuid)
        if domain is not None and power_of(domain) == Power.RUNNING:
            raise errors.virt.GuestArrived(server=h.instance.uuid)
        self.remove(h)
        (self.instances / str(data.get('mark') or '.shared-')).unlink(missing_ok=True)
        self._forget(h, data)


def _path(connection: kept.Connection) -> str:
    info = connection.get('device_info')
    return str(info.get('path') or '') if isinstance(info, dict) else ''


def _under_way(domain: libvirt.virDomain) -> bool:
    return domain.jobInfo()[0] != libvirt.VIR_DOMAIN_JOB_NONE


def _wait(domain: libvirt.virDomain, ended: threads.Event) -> None:
    """Say when the domain's job has ended, or the domain has gone."""
    try:
        while _under_way(domain):
            threads.sleep(LOOK)
    except libvirt.libvirtError as error:
        LOG.debug('A migration that was under way has ended: %s', error)
    finally:
        ended.set()
