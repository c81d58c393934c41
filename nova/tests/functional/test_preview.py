"""Where servers would go, and why not elsewhere: nothing is made of it."""

import pytest


def preview(user, status=200, hints=None, **fields):
    body = {'server': {'name': 'maybe', 'imageRef': user.image, 'flavorRef': '1',
                       'networks': [{'uuid': user.network}], **fields}}
    if hints:
        body['os:scheduler_hints'] = hints
    answer = user.call('POST', '/os-scheduling-preview', body)
    assert answer.status_code == status, answer.text
    return answer.json().get('preview')


def test_servers_that_fit(demo, admin, cloud):
    before = admin.get('/servers?all_tenants=1')['servers']
    seen = preview(admin, min_count=2)
    assert seen['fits'] and seen['reason'] == ''
    assert len(seen['servers']) == 2
    for server in seen['servers']:
        assert {place['host'] for place in server['hosts']} <= set(cloud.deployment.hosts)
    mine = preview(demo)
    assert mine['fits'] and 'servers' not in mine
    assert admin.get('/servers?all_tenants=1')['servers'] == before
    for host in cloud.deployment.hosts:
        provider, = admin.get(f'/resource_providers?name={host}', service='placement')['resource_providers']
        found = admin.get(f'/resource_providers/{provider["uuid"]}/allocations',
                          service='placement')['allocations']
        assert not set(found) - {server['id'] for server in before}


def test_servers_that_do_not_fit(demo, admin, cloud):
    flavor = admin.call('POST', '/flavors', {'flavor': {'name': 'huge', 'ram': 10**9, 'vcpus': 1, 'disk': 1}}
                        ).json()['flavor']['id']
    try:
        seen = preview(demo, flavorRef=flavor)
        assert not seen['fits'] and 'MEMORY_MB' in seen['reason']
        last = seen['stages'][-1]
        assert last['left'] == 0 and set(last) == {'stage', 'name', 'removed', 'left'}
    finally:
        admin.call('DELETE', f'/flavors/{flavor}')


def test_a_server_that_had_no_host_says_why(demo, admin, cloud):
    """Its task counts for everybody what took hosts away; its fault has the same for administrators."""
    flavor = admin.call('POST', '/flavors', {'flavor': {'name': 'huge', 'ram': 64, 'vcpus': 1, 'disk': 10**7}}
                        ).json()['flavor']['id']
    server = demo.boot('nowhere', flavorRef=flavor).json()['server']['id']
    try:
        fault = demo.ended(server)['fault']
        assert 'DISK_GB' in fault['message'] and 'details' not in fault
        task, = demo.get(f'/servers/{server}/tasks')['tasks']
        assert (task['error']['code'], task['error']['message']) == (500, fault['message'])
        none = [stage for stage in task['error']['stages'] if 'DISK_GB' in stage['name'] and stage['left'] == 0]
        assert none, task['error']
        assert f'placement {none[0]["name"]}: unknown removed, 0 left' in admin.show(server)['fault']['details']
    finally:
        demo.delete(server)
        admin.call('DELETE', f'/flavors/{flavor}')


def test_what_keeps_servers_from_other_hosts(admin, cloud):
    host, *_ = cloud.deployment.hosts
    seen = preview(admin, host=host)
    assert [place['host'] for place in seen['servers'][0]['hosts']] == [host]


@pytest.mark.parametrize(('fields', 'status'), [
    ({'flavorRef': 'none'}, 400), ({'name': ''}, 400), ({'more': 1}, 400),
    ({'min_count': 2, 'max_count': 1}, 400),
    ({'host': 'compute1'}, 403)])
def test_what_no_server_may_say(demo, fields, status):
    preview(demo, status, **fields)
