"""Notifications of a whole cloud, as a listener on its buses hears them."""

import collections
import contextlib
import json
import threading
import uuid as uuids

import oslo_messaging
import pytest

from nova import conf as nova_conf
from nova.standalone import config
from nova.tests.fixtures.waiting import until
from nova.tests.functional.conftest import User, standalone

TOPIC = 'versioned_notifications'
OPTIONS = """
[oslo_messaging_notifications]
driver = messagingv2
[notifications]
notification_format = both
notify_on_state_change = vm_state
bdms_in_notifications = true
event_stream_hours = 1
"""


class Ear:
    """Listens on one bus."""

    def __init__(self, url):
        self.got, self._lock = [], threading.Lock()
        conf = nova_conf.new(config_files=[], transport_url=url)
        transport = oslo_messaging.get_notification_transport(conf)
        self._listener = oslo_messaging.get_notification_listener(
            transport, [oslo_messaging.Target(topic=TOPIC)], [self], executor='threading')
        self._listener.start()

    def _keep(self, ctxt, publisher_id, event_type, payload, metadata):
        with self._lock:
            self.got.append((event_type, publisher_id, payload['nova_object.data'], metadata['message_id']))

    info = error = _keep

    def close(self):
        self._listener.stop()
        self._listener.wait()


class Heard:
    """What was heard on all buses."""

    def __init__(self, ears):
        self.ears = ears

    def all(self):
        return [each for ear in self.ears.values() for each in ear.got]

    def of(self, uuid):
        return [event for event, _, data, _ in self.all() if data.get('uuid') == uuid]

    def wait(self, event, count=1):
        until(lambda: len([each for each in self.all() if each[0] == event]) >= count,
              told=lambda: [each[0] for each in self.all()])


@pytest.fixture(scope='module')
def listening(tmp_path_factory, supply):
    """A cloud that tells, and who listens."""
    write_files = config.write_files

    def with_drivers(deployment):
        files = write_files(deployment)
        for name in ('nova', *deployment.cells):
            files[name].write_text(files[name].read_text() + OPTIONS)
        return files
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config, 'write_files', with_drivers)
        with standalone('sqlite', tmp_path_factory, supply) as cloud:
            ears = {name: Ear(cloud.deployment.bus(name)) for name in ('top', *cloud.deployment.cells)}
            yield cloud, Heard(ears)
            for ear in ears.values():
                ear.close()


@pytest.fixture
def heard(listening):
    return listening[1]


@pytest.fixture
def user(listening):
    return User(listening[0], 'demo')


@pytest.fixture
def admin(listening):
    return User(listening[0], 'admin')


def test_the_life_of_a_server(heard, user):
    uuid = user.booted()['id']
    user.act(uuid, 'pause', status='PAUSED')
    user.act(uuid, 'unpause', status='ACTIVE')
    user.act(uuid, 'lock')
    user.act(uuid, 'unlock')
    user.delete(uuid)
    until(lambda: 'instance.delete.end' in heard.of(uuid), 20, told=lambda: heard.of(uuid))
    operations = [event for event in heard.of(uuid) if event != 'instance.update']
    assert operations == [
        'instance.create.start', 'instance.create.end', 'instance.pause.start', 'instance.pause.end',
        'instance.unpause.start', 'instance.unpause.end', 'instance.lock', 'instance.unlock',
        'instance.delete.start', 'instance.shutdown.start', 'instance.shutdown.end', 'instance.delete.end']
    changes = [data['state_update']['nova_object.data'] for event, _, data, _ in heard.all()
               if event == 'instance.update' and data['uuid'] == uuid]
    assert [change['state'] for change in changes] == ['active', 'paused', 'active']
    ids = collections.Counter(message for *_, message in heard.all())
    assert set(ids.values()) == {1}
    created = next(data for event, _, data, _ in heard.all()
                   if event == 'instance.create.end' and data['uuid'] == uuid)
    assert created['state'] == 'active' and created['power_state'] == 'running'
    assert created['ip_addresses'][0]['nova_object.data']['address'] and created['host']
    assert created['action_initiator_project'] == created['tenant_id']


@contextlib.contextmanager
def faults(cloud, of):
    """Every host's hypervisor does so meanwhile."""
    files = [cloud.deployment.directory / 'computes' / host / 'faults.json' for host in cloud.deployment.hosts]
    for file in files:
        file.write_text(json.dumps(of))
    try:
        yield
    finally:
        for file in files:
            file.unlink(missing_ok=True)


def test_a_build_that_fails(listening, heard, user):
    with faults(listening[0], {'spawn': {'do': 'fail', 'reason': 'no luck'}}):
        uuid = user.boot().json()['server']['id']
        user.ended(uuid)
    until(lambda: 'instance.create.error' in heard.of(uuid), 20, told=lambda: heard.of(uuid))
    assert heard.of(uuid).count('instance.create.start') == 1 and 'instance.create.end' not in heard.of(uuid)
    data = next(data for event, _, data, _ in heard.all()
                if event == 'instance.create.error' and data['uuid'] == uuid)
    assert data['fault']['nova_object.data']['exception_message'] and data['state'] == 'error'


def test_a_server_for_which_there_is_no_host(heard, user, admin):
    flavor = admin.call('POST', '/flavors', {'flavor': {
        'name': 'huge', 'vcpus': 1, 'ram': 64, 'disk': 10 ** 7}}).json()['flavor']
    server = user.wait(user.boot('huge', flavorRef=flavor['id']).json()['server']['id'], 'ERROR')
    heard.wait('compute_task.build_instances.error')
    (data,) = [data for event, _, data, _ in heard.all() if event == 'compute_task.build_instances.error']
    assert (data['instance_uuid'], data['state']) == (server['id'], 'error')
    assert 'No valid host' in data['reason']['nova_object.data']['exception_message']


def test_a_live_migration_that_is_aborted(listening, heard, user, admin):
    server = user.booted()['id']
    with faults(listening[0], {'live_migrate': {'do': 'last', 'seconds': 60}}):
        path = f'/servers/{server}/migrations'
        assert admin.call('POST', f'/servers/{server}/action', {'os-migrateLive': {
            'host': None, 'block_migration': 'auto'}}, version='2.96').status_code == 202

        def running():
            found = admin.call('GET', path, version='2.96').json()['migrations']
            return found[0] if found and found[0]['status'] == 'running' else None
        until(lambda: running() is not None, 60)
        assert admin.call('DELETE', f"{path}/{running()['id']}", version='2.96').status_code == 202
        user.wait(server, 'ACTIVE')
    until(lambda: 'instance.live_migration_rollback.end' in heard.of(server), 60, told=lambda: heard.of(server))
    events = [event for event in heard.of(server) if event != 'instance.update']
    assert events[events.index('instance.live_migration_abort.start'):] == [
        f'instance.{name}.{phase}' for name in (
            'live_migration_abort', 'live_migration_rollback_dest', 'live_migration_rollback')
        for phase in ('start', 'end')]


def test_what_the_api_keeps(heard, user, admin):
    assert user.call('POST', '/os-keypairs', {'keypair': {'name': 'told'}}, version='2.1').status_code == 200
    assert user.call('DELETE', '/os-keypairs/told', version='2.1').status_code == 202
    flavor = {'name': 'told', 'ram': 64, 'vcpus': 1, 'disk': 1, 'id': 'told'}
    assert admin.call('POST', '/flavors', {'flavor': flavor}).status_code == 200
    assert admin.call('POST', '/flavors/told/os-extra_specs', {'extra_specs': {'hw:x': '1'}}).status_code < 500
    assert admin.call('DELETE', '/flavors/told').status_code == 202
    made = admin.call('POST', '/os-aggregates', {'aggregate': {'name': 'told'}}).json()['aggregate']
    assert admin.call('POST', f"/os-aggregates/{made['id']}/images", {
        'cache': [{'id': str(uuids.uuid4())}]}, version='2.81').status_code == 202
    assert admin.call('DELETE', f"/os-aggregates/{made['id']}").status_code == 200
    group = user.call('POST', '/os-server-groups', {'server_group': {
        'name': 'told', 'policy': 'affinity'}}, version='2.64').json()['server_group']
    assert user.call('DELETE', f"/os-server-groups/{group['id']}").status_code == 204
    heard.wait('server_group.delete')
    heard.wait('aggregate.delete.end')
    events = [event for event, *_ in heard.all() if not event.startswith(('instance.', 'service.', 'compute.'))]
    assert [event for event in events if event.startswith('keypair')] == [
        'keypair.create.start', 'keypair.create.end', 'keypair.delete.start', 'keypair.delete.end']
    assert [event for event in events if event.startswith('aggregate')] == [
        f'aggregate.{name}.{phase}' for name in ('create', 'cache_images', 'delete')
        for phase in ('start', 'end')]
    assert [event for event in events if event.startswith('flavor')][-1] == 'flavor.delete'
    assert {'flavor.create', 'flavor.delete', 'server_group.create', 'server_group.delete'} <= set(events)


def test_services(heard, admin):
    service = next(one for one in admin.get('/os-services')['services'] if one['binary'] == 'nova-compute')
    for status in ('disabled', 'enabled'):
        assert admin.call('PUT', f"/os-services/{service['id']}", {'status': status}).status_code == 200
    heard.wait('service.update', 2)
    told = [data['disabled'] for event, _, data, _ in heard.all() if event == 'service.update']
    assert told[-2:] == [True, False]
    assert any(event == 'service.create' for event, *_ in heard.all()), 'hosts joined when the cloud began'


def test_a_project_follows_its_events(user, admin, heard):
    """What is sent to the bus is kept for its project, and told as it happens."""
    path = user.cloud.deployment.url('compute') + '/v2.1/events'
    told, place = [], None
    with user.http.stream('GET', path, headers={'X-Auth-Token': user.token}, timeout=60) as stream:
        assert stream.headers['Content-Type'] == 'text/event-stream'
        uuid = user.booted('followed')['id']
        for line in stream.iter_lines():
            place = line.removeprefix('id: ') if line.startswith('id: ') else place
            if line.startswith('data: ') and (data := json.loads(line[6:])).get('server', {}).get('id') == uuid:
                told.append(data)
            if told and told[-1]['type'] == 'instance.create.end':
                break
    assert told[-1]['server']['state'] == 'active' and 'compute' not in json.dumps(told[-1]['server'])
    assert user.get(f'/servers/{uuid}/tasks/{told[-1]["task"]["id"]}')['task']['action'] == 'create'
    user.delete(uuid)
    with user.http.stream('GET', path, headers={'X-Auth-Token': user.token, 'Last-Event-ID': place}, timeout=60
                          ) as stream:
        for line in stream.iter_lines():
            if line == 'event: instance.delete.end':
                break
    seen = []
    asked = {'X-Auth-Token': admin.token, 'Last-Event-ID': place}
    with admin.http.stream('GET', path, headers=asked, timeout=60) as stream:
        own = admin.booted('another')['id']
        admin.act(own, 'lock')
        for line in stream.iter_lines():
            seen.append(line)
            if line == 'event: instance.lock':
                break
    assert any(own in line for line in seen) and not any(uuid in line for line in seen)
    admin.delete(own)
