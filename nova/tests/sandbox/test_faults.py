"""Scripted faults: which request is hit, and whether its work was done."""

import threading
import time

import httpx
import keystoneauth1.exceptions as ksa
import openstack
import openstack.exceptions as sdk
import pytest

from nova.sandbox.app import Mount
from nova.sandbox.faults import Fault, Faults
from nova.tests.fixtures.sandbox import Running, running_sandbox


@pytest.fixture(autouse=True)
def clean(running: Running):
    yield
    running.faults.clear()


@pytest.fixture
def names(nova: openstack.connection.Connection):
    yield lambda: sorted(item.name for item in nova.network.networks() if item.name.startswith('f-'))
    for item in nova.network.networks():
        if item.name.startswith('f-'):
            nova.network.delete_network(item.id)


def test_nth_and_count_in_the_services_envelope(running: Running, nova) -> None:
    fault = running.faults.add('network', 'GET', r'/v2\.0/ports/', nth=2, count=2, status=409, code='PortInUse',
                               message='busy')
    answers = [nova.network.get('/ports/unknown') for _ in range(4)]
    assert [answer.status_code for answer in answers] == [404, 409, 409, 404]
    assert answers[1].json()['NeutronError'] == {'type': 'PortInUse', 'message': 'busy', 'detail': ''}
    assert (fault.seen, fault.hits) == (4, 2)
    assert nova.image.get('/images/unknown').status_code == 404


def test_refused_before_or_after_the_work(running: Running, nova, names) -> None:
    running.faults.add('network', 'POST', '/networks$', status=503)
    with pytest.raises(sdk.HttpException):
        nova.network.create_network(name='f-before')
    assert names() == []
    running.faults.add('network', 'POST', '/networks$', status=500, after=True)
    with pytest.raises(sdk.HttpException):
        nova.network.create_network(name='f-after')
    assert names() == ['f-after']


def test_dropped_before_or_after_the_work(running: Running, nova, names) -> None:
    for after, wanted in ((False, []), (True, ['f-drop'])):
        running.faults.add('network', 'POST', '/networks$', drop=True, after=after)
        with pytest.raises(ksa.ConnectFailure):
            nova.network.post('/networks', json={'network': {'name': 'f-drop'}})
        assert names() == wanted
    assert running.faults.requests('network', 'POST')[-1].status is None


def test_timeout_after_success(running: Running, names) -> None:
    running.faults.add('network', 'POST', '/networks$', delay=30, after=True)
    token = running.session('nova').get_token()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f'{running.url}/network/v2.0/networks', headers={'X-Auth-Token': token}, timeout=0.5,
                   json={'network': {'name': 'f-late'}})
    assert names() == ['f-late']


def test_clearing_ends_delays(running: Running, nova) -> None:
    running.faults.add('network', 'GET', '/networks$', delay=60)
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(nova.network.get('/networks').status_code))
    started = time.monotonic()
    thread.start()
    while not running.faults.script()[0]['hits']:
        assert time.monotonic() < started + 10
    running.faults.clear()
    thread.join(10)
    assert done == [200] and time.monotonic() < started + 10


def test_scripted_from_outside(running: Running, nova) -> None:
    admin = httpx.Client(base_url=f'{running.url}/sandbox')
    made = admin.post('/faults', json={'service': 'volume', 'path': '/volumes', 'status': 500})
    assert made.status_code == 201 and len(admin.get('/faults').json()['faults']) == 1
    assert nova.block_storage.get('/volumes').json()['computeFault']['code'] == 500
    assert admin.get('/requests', params={'service': 'volume'}).json()['requests'][-1]['status'] == 500
    assert admin.get('/requests').json()['counts']['volume'] >= 1
    for wrong in ({'colour': 'red'}, {'status': 200}, {'path': '('}, {'nth': 0}, {'delay': 1e9}):
        assert admin.post('/faults', json=wrong).status_code == 400, wrong
    assert admin.delete('/faults').status_code == 204
    assert nova.block_storage.get('/volumes').status_code == 200


def test_only_the_loopback_interface_scripts(running: Running) -> None:
    for address, status in (('127.0.0.1', 200), ('192.0.2.7', 403), ('', 403)):
        transport = httpx.WSGITransport(app=running.sandbox.application, remote_addr=address)
        with httpx.Client(transport=transport, base_url='http://sandbox') as client:
            assert client.get('/sandbox/faults').status_code == status


def test_nothing_mounted_is_404() -> None:
    with httpx.Client(transport=httpx.WSGITransport(app=Mount({})), base_url='http://sandbox') as client:
        assert client.get('/elsewhere').status_code == 404


def test_requests_are_counted(tmp_path) -> None:
    with running_sandbox(tmp_path) as running:
        openstack.connect(**running.cloud('nova')).network.get('/networks')
        assert [item.path for item in running.faults.requests('network') if item.path != '/'][-1:] == [
            '/v2.0/networks']
        assert running.faults.counts()['network'] == len(running.faults.requests('network'))


@pytest.mark.parametrize('wrong', [{'status': 399}, {'status': 600}, {'count': -1}, {'delay': -1}])
def test_a_fault_must_make_sense(wrong) -> None:
    with pytest.raises(ValueError, match='status|nth'):
        Faults().add(**wrong)


def test_any_service_any_method() -> None:
    assert Fault().takes('image', 'GET', '/') and not Fault(service='volume').takes('image', 'GET', '/')
