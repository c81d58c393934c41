"""What os-brick is told about each kind of volume, what it is asked, and which disk its answer becomes."""

import types

import pytest
from os_brick import exception
from oslo_concurrency import processutils

from nova import conf as nova_conf
from nova import errors
from nova.common import uuids
from nova.compute import servers
from nova.objects import BlockDeviceMapping
from nova.virt.driver import kept
from nova.virt.libvirt import connectors, spec, volume_disks, volumes

VOLUME = '1f0a3a7e-57a5-4f5e-8a7e-0c7a8b1d2e3f'
KEY = '00000000-0000-0000-0000-000000000000'


def conf_of(**options):
    return nova_conf.new(config_files=[], **{f'libvirt.{name}': value for name, value in options.items()})


class Brick:
    """A connector that notes what it is asked."""

    def __init__(self, answer=None, fails=()):
        self.answer, self.fails, self.asked = answer or {'type': 'block', 'path': '/dev/sdx'}, list(fails), []

    def _ask(self, what, *arguments):
        self.asked.append((what, *arguments))
        if self.fails:
            raise self.fails.pop(0)

    def connect_volume(self, data):
        self._ask('connect', data)
        return dict(self.answer)

    def disconnect_volume(self, data, info, force=False, ignore_errors=False):
        self._ask('disconnect', data, info, force, ignore_errors)

    def extend_volume(self, data):
        self._ask('extend', data)
        return 2 << 30


class NoSecrets:
    """Of hosts without encrypted volumes: nobody asks."""


class World:
    def __init__(self, brick=None, secrets=None, **options):
        self.conf, self.brick = conf_of(**options), brick or Brick()
        self.told = []
        self.volumes = volumes.Volumes(
            connectors.Connectors(self.conf, self._make), secrets or NoSecrets())
        self.journals = servers.ServerJournals()
        self.h = self.handle()

    def _make(self, kind, arguments):
        self.told.append((kind, dict(arguments)))
        return self.brick

    def handle(self):
        uuid = uuids.generate()
        return types.SimpleNamespace(instance=types.SimpleNamespace(uuid=uuid), journal=self.journals.of(uuid),
                                     context='context')

    def connected(self, connection, h=None):
        self.volumes.bring(h or self.h, VOLUME, connection)
        return kept.connections(h or self.h)[VOLUME]

    def disk(self, connection):
        device = BlockDeviceMapping(uuid=uuids.generate(), volume_id=VOLUME, destination_type='volume')
        return volume_disks.describe(device, self.connected(connection), self.conf)


MANY = {'volume_use_multipath': True, 'num_volume_scan_tries': 3, 'num_nvme_discover_tries': 7}


@pytest.mark.parametrize(('kind', 'options', 'told'), [
    ('iscsi', {}, {'use_multipath': False, 'device_scan_attempts': 5}),
    ('iscsi', {**MANY, 'iscsi_iface': 'be2iscsi'},
     {'use_multipath': True, 'device_scan_attempts': 3, 'transport': 'be2iscsi'}),
    ('fibre_channel', MANY, {'use_multipath': True, 'device_scan_attempts': 3}),
    ('nvmeof', MANY, {'use_multipath': True, 'device_scan_attempts': 7}),
    ('iser', {**MANY, 'num_iser_scan_tries': 9}, {'use_multipath': False, 'device_scan_attempts': 9}),
    ('iser', {'iser_use_multipath': True}, {'use_multipath': True, 'device_scan_attempts': 5}),
    ('nfs', {'nfs_mount_point_base': '/shares', 'nfs_mount_options': 'vers=4'},
     {'use_multipath': False, 'device_scan_attempts': 5, 'nfs_mount_point_base': '/shares',
      'nfs_mount_options': 'vers=4'}),
    ('quobyte', {'quobyte_mount_point_base': '/quobyte'},
     {'use_multipath': False, 'device_scan_attempts': 5, 'quobyte_mount_point_base': '/quobyte'}),
    ('gpfs', {}, {'use_multipath': False, 'device_scan_attempts': 5}),
    ('storpool', {}, {'use_multipath': False, 'device_scan_attempts': 5}),
])
def test_what_os_brick_is_told(kind, options, told):
    world = World(**options)
    connection = {'driver_volume_type': kind, 'target_lun': 1, 'attachment_id': 'a'}
    world.connected(connection)
    assert world.told == [(kind, told)]
    assert world.brick.asked == [('connect', connection)]


@pytest.mark.parametrize('kind', ['iscsi', 'fibre_channel', 'nvmeof', 'iser', 'nfs', 'quobyte', 'gpfs'])
def test_os_brick_has_such_a_connector(kind, tmp_path):
    """The names and arguments are os-brick's own; nothing is connected."""
    conf = nova_conf.new(config_files=[], state_path=str(tmp_path), **{
        'libvirt.volume_use_multipath': True, 'libvirt.num_volume_scan_tries': 3,
        'libvirt.num_nvme_discover_tries': 3, 'libvirt.num_iser_scan_tries': 3})
    found = connectors.Connectors(conf)
    assert found.of(kind)
    made = connectors.brick(conf, kind, found.arguments(kind))
    assert made.device_scan_attempts == 3
    if kind in ('iscsi', 'fibre_channel', 'nvmeof'):
        assert made.use_multipath is True


def test_a_kind_that_nobody_knows(tmp_path):
    conf = nova_conf.new(config_files=[], state_path=str(tmp_path))
    with pytest.raises(errors.virt.DriverFailed, match='SHEEPDOG'):
        connectors.Connectors(conf).of('sheepdog')


def test_names_that_operators_had_before():
    """num_iscsi_scan_tries and iscsi_use_multipath still count."""
    deprecated = {old.name: option.name for option in _options() for old in option.deprecated_opts}
    assert deprecated == {'num_iscsi_scan_tries': 'num_volume_scan_tries', 'iscsi_transport': 'iscsi_iface',
                          'iscsi_use_multipath': 'volume_use_multipath'}


def _options():
    from nova.conf import libvirt
    return libvirt.OPTS


@pytest.mark.parametrize(('options', 'told'), [
    ({}, (False, False)), ({'volume_use_multipath': True}, (True, False)),
    ({'volume_enforce_multipath': True}, (False, False)),
    ({'volume_use_multipath': True, 'volume_enforce_multipath': True}, (True, True))])
def test_what_a_host_tells_the_volume_service(options, told, tmp_path):
    """Multipath is enforced where it is wanted at all; a host without multipathd fails, by its own word."""
    conf = nova_conf.new(config_files=[], state_path=str(tmp_path), **{
        f'libvirt.{name}': value for name, value in options.items()})
    asked = []

    def properties(helper, ip, multipath, enforce_multipath, host):
        asked.append((multipath, enforce_multipath))
        if enforce_multipath:
            raise processutils.ProcessExecutionError(stderr='multipathd is not running')
        return {'host': host, 'ip': ip}
    made = connectors.Connectors(conf, properties=properties)
    if told[1]:
        with pytest.raises(errors.virt.DriverFailed, match='multipathd is not running'):
            made.properties('h1')
    else:
        assert made.properties('h1') == {'host': 'h1', 'ip': conf.my_ip}
    assert asked == [told]


# Disks

PLAIN = {'kind': 'block', 'path': '/dev/sdx', 'format': 'raw', 'io': 'native', 'cache': 'none'}


@pytest.mark.parametrize(('answer', 'connection', 'shown'), [
    (None, {'driver_volume_type': 'iscsi'}, PLAIN),
    (None, {'driver_volume_type': 'fibre_channel', 'access_mode': 'ro'}, {**PLAIN, 'readonly': True}),
    (None, {'driver_volume_type': 'nvmeof', 'discard': True}, {**PLAIN, 'discard': 'unmap'}),
    ({'path': '/shares/x/volume-1'}, {'driver_volume_type': 'nfs', 'export': 'e', 'name': 'volume-1',
                                      'format': 'qcow2'},
     {**PLAIN, 'kind': 'file', 'path': '/shares/x/volume-1', 'format': 'qcow2'}),
    ({'path': '/gpfs/v'}, {'driver_volume_type': 'gpfs'}, {**PLAIN, 'kind': 'file', 'path': '/gpfs/v'}),
    (None, {'driver_volume_type': 'iscsi', 'qos_specs': {
        'total_iops_sec': '100', 'write_bytes_sec_max': '7', 'minIOPS': '3'}},
     {**PLAIN, 'tune': (('total_iops_sec', 100), ('write_bytes_sec_max', 7))}),
])
def test_which_disk_comes_of_it(answer, connection, shown):
    disk = World(Brick(answer)).disk(connection)
    assert {name: getattr(disk, name) for name in shown} == shown
    assert (disk.serial, disk.alias, disk.secret) == (VOLUME, f'ua-{VOLUME}', None)


def test_a_shared_volume_has_no_cache():
    """MAT-S2: shareable, and nothing is cached, whatever disk_cachemodes says."""
    disk = World(disk_cachemodes=['block=writeback']).disk({'driver_volume_type': 'iscsi', 'multiattach': True})
    assert (disk.shared, disk.cache, disk.io) == (True, 'none', 'native')
    alone = World(disk_cachemodes=['block=writeback']).disk({'driver_volume_type': 'iscsi'})
    assert (alone.shared, alone.cache, alone.io) == (False, 'writeback', None)


RBD = {'driver_volume_type': 'rbd', 'name': 'pool/volume-1', 'hosts': ['10.0.0.1'], 'ports': ['6789']}


@pytest.mark.parametrize(('connection', 'options', 'who'), [
    ({'auth_enabled': True, 'auth_username': 'cinder', 'secret_uuid': 'S'}, {}, ('cinder', 'S')),
    ({'auth_enabled': True, 'auth_username': 'cinder', 'secret_uuid': None},
     {'rbd_user': 'nova', 'rbd_secret_uuid': 'N'}, ('cinder', 'N')),
    ({'auth_enabled': False}, {'rbd_user': 'nova', 'rbd_secret_uuid': 'N'}, ('nova', 'N')),
    ({'auth_enabled': False}, {}, (None, None))])
def test_who_opens_a_volume_on_rbd(connection, options, who):
    disk = World(**options).disk({**RBD, **connection})
    assert (disk.user, disk.auth) == who
    assert (disk.kind, disk.protocol, disk.path, disk.hosts, disk.io) == (
        'network', 'rbd', 'pool/volume-1', (('10.0.0.1', '6789'),), None)


# Letting go

def test_a_host_that_cannot_let_go_keeps_the_connection():
    """VOL-S3: what os-brick could not disconnect is not forgotten, and the next attempt disconnects it."""
    world = World(Brick())
    world.connected({'driver_volume_type': 'iscsi'})
    world.brick.fails = [exception.BrickException('device is busy')]
    with pytest.raises(errors.virt.DriverFailed, match='device is busy'):
        world.volumes.let_go(world.h, VOLUME, force=False)
    assert VOLUME in kept.connections(world.h)
    world.volumes.let_go(world.h, VOLUME, force=True)
    assert kept.connections(world.h) == {}
    info = {'type': 'block', 'path': '/dev/sdx'}
    assert [(info_, force, ignored) for _, _, info_, force, ignored in world.brick.asked[1:]] == [
        (info, False, False), (info, True, False)]


def test_each_host_keeps_its_own_way_to_a_volume():
    """VOL-S3, B 1939545: the destination of a guest knows by what path it has the volume, and lets that go."""
    source, dest = World(Brick({'path': '/dev/sdx'})), World(Brick({'path': '/dev/sdy'}))
    for host, path in ((source, '/dev/sdx'), (dest, '/dev/sdy')):
        assert host.connected({'driver_volume_type': 'iscsi'})['device_info']['path'] == path
    for host, path in ((source, '/dev/sdx'), (dest, '/dev/sdy')):
        host.volumes.let_go(host.h, VOLUME, force=False)
        assert host.brick.asked[-1][2]['path'] == path


def test_a_connection_that_failed_is_known_to_who_cleans_up():
    """VOL-F1: a crash, or an error, in the middle of connecting leaves what has to be disconnected."""
    world = World(Brick(fails=[exception.VolumeDeviceNotFound(device='/dev/sdx')]))
    with pytest.raises(errors.virt.DriverFailed):
        world.connected({'driver_volume_type': 'iscsi'})
    world.volumes.let_go(world.h, VOLUME, force=False)
    assert world.brick.asked[-1][0] == 'disconnect' and kept.connections(world.h) == {}


@pytest.mark.parametrize(('kind', 'seen'), [('iscsi', 2 << 30), ('nfs', None), ('rbd', None)])
def test_a_volume_has_grown(kind, seen):
    """Files and network disks have no size that the host would have to look at again."""
    world = World()
    assert world.volumes.extend(world.connected({**RBD, 'driver_volume_type': kind})) == seen


# Encrypted volumes

LUKS = {'driver_volume_type': 'iscsi', 'encrypted': True,
        'encryption': {'provider': 'luks', 'encryption_key_id': KEY}}


class Secrets:
    """What libvirt would know; it can fail before and after its effect."""

    def __init__(self):
        self.there, self.asked, self.dies = {}, 0, None

    def bring(self, h, volume_id, key_id, known):
        if known in self.there:
            return known
        self.asked += 1
        assert (h.context, key_id) == ('context', KEY)
        self.there[volume_id] = key_id
        if self.dies:
            raise self.dies
        return volume_id

    def take(self, volume_id, known):
        self.there.pop(known or volume_id, None)


def test_the_key_of_an_encrypted_volume_comes_and_goes_with_it():
    secrets = Secrets()
    world = World(secrets=secrets)
    for _ in range(2):
        disk = world.disk(LUKS)
        assert disk.secret == spec.Secret(uuid=VOLUME, format='luks') and secrets.there == {VOLUME: KEY}
    world.volumes.bring(world.h, VOLUME, kept.connections(world.h)[VOLUME])
    assert secrets.asked == 2, 'a hard reboot asks nobody for a key that is there'
    world.volumes.let_go(world.h, VOLUME, force=False)
    assert secrets.there == {}


def test_one_key_for_all_who_share_a_volume():
    """MAT-S2: the last one takes it away."""
    secrets = Secrets()
    world = World(secrets=secrets)
    other = world.handle()
    for h in (world.h, other):
        assert world.connected({**LUKS, 'multiattach': True}, h)['secret'] == VOLUME
    world.volumes.let_go(world.h, VOLUME, force=False)
    assert secrets.there == {VOLUME: KEY}
    world.volumes.let_go(other, VOLUME, force=False)
    assert secrets.there == {}


def test_a_crash_leaves_no_key():
    """The host dies when libvirt knows the key and its journal does not know that."""
    secrets = Secrets()
    world = World(secrets=secrets)
    secrets.dies = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        world.connected(LUKS)
    assert 'secret' not in kept.connections(world.h)[VOLUME] and secrets.there
    world.volumes.let_go(world.h, VOLUME, force=False)
    assert secrets.there == {}


def test_the_key_of_a_volume_that_got_another_id():
    """VOL-S7: after a migration the guest knows the key by the name that it had, and so it is taken away."""
    secrets = Secrets()
    world = World(secrets=secrets)
    world.connected(LUKS)
    kept.rename_connection(world.h, VOLUME, 'old-id')
    assert kept.connections(world.h)['old-id']['secret'] == VOLUME
    world.volumes.let_go(world.h, 'old-id', force=False)
    assert secrets.there == {}


@pytest.mark.parametrize('provider', ['luks2', 'plain', None])
def test_what_qemu_does_not_open(provider):
    """It is refused by name, and nothing stays connected once the attachment is undone."""
    world = World(secrets=Secrets())
    with pytest.raises(errors.block.EncryptionUnsupported):
        world.connected({**LUKS, 'encryption': {'provider': provider, 'encryption_key_id': KEY}})
    world.volumes.let_go(world.h, VOLUME, force=False)
    assert [each[0] for each in world.brick.asked] == ['connect', 'disconnect']


def test_no_key_is_kept_or_told():
    """SEC: the journal has the name of a secret, and os-brick is not told of keys."""
    world = World(secrets=Secrets())
    connection = world.connected(LUKS)
    assert set(connection) == {*LUKS, 'device_info', 'secret'}
    assert all('encryption' not in data for _, data in world.brick.asked)


@pytest.mark.parametrize('nested', [False, True])
def test_a_file_that_a_snapshot_has_put_over_another(nested):
    """Who connects the volume again finds the new one, a qcow2."""
    world = World(Brick({'path': '/shares/x/volume-1'}))
    data = {'export': 'e', 'name': 'volume-1', 'format': 'raw'}
    world.connected({'driver_volume_type': 'nfs', **({'data': data} if nested else data)})
    for _ in range(2):
        world.volumes.rename_file(world.h, VOLUME, 'volume-1.new')
    connection = kept.connections(world.h)[VOLUME]
    assert volumes.data_of(connection)['name'] == 'volume-1.new'
    disk = volume_disks.describe(BlockDeviceMapping(volume_id=VOLUME), connection, world.conf)
    assert (disk.path, disk.format, disk.kind) == ('/shares/x/volume-1.new', 'qcow2', 'file')
