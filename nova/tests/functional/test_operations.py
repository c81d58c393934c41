"""Asking again with a key, and waiting for tasks, on a cloud that runs."""

import pytest

from nova.common import uuids

pytestmark = pytest.mark.usefixtures('nothing_leaks')


def keyed(key):
    return {'headers': {'Idempotency-Key': key}}


def test_a_server_that_is_asked_for_twice(demo):
    body = {'server': {'name': 'once', 'imageRef': demo.image, 'flavorRef': '1',
                       'networks': [{'uuid': demo.network}]}}
    key = uuids.generate()
    first, again = (demo.call('POST', '/servers', body, **keyed(key)) for _ in range(2))
    uuid = first.json()['server']['id']
    assert again.status_code == 202 and again.json()['server']['id'] == uuid
    assert [server['id'] for server in demo.get('/servers?name=once')['servers']] == [uuid]
    request = first.headers['X-OpenStack-Request-Id']
    task = demo.get(f'/servers/{uuid}/tasks/{request}?wait=60')['task']
    assert (task['action'], task['status']) == ('create', 'done')
    assert demo.show(uuid)['status'] == 'ACTIVE'
    key = uuids.generate()
    stops = [demo.call('POST', f'/servers/{uuid}/action', {'os-stop': None}, **keyed(key)) for _ in range(2)]
    assert [answer.status_code for answer in stops] == [202, 202]
    task = demo.get(f'/servers/{uuid}/tasks/{stops[0].headers["X-OpenStack-Request-Id"]}?wait=60')['task']
    assert (task['action'], task['status']) == ('stop', 'done')
    late = demo.call('POST', f'/servers/{uuid}/action', {'os-stop': None}, **keyed(key))
    assert late.status_code == 202, 'it is stopped by now, and the answer is as before'
    assert demo.call('POST', f'/servers/{uuid}/action', {'os-start': None}, **keyed(key)).status_code == 422
    assert [each['action'] for each in demo.get(f'/servers/{uuid}/tasks')['tasks']] == ['stop', 'create']
