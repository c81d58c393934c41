"""What every route has in common: versions, addresses, faults, headers."""

import logging
from typing import Any

import pytest

from nova.schema import history
from nova.tests.api.cloud import ADMIN, MEMBER, OTHER, PROJECT, Cloud


def test_version_documents_are_open(cloud: Cloud) -> None:
    every = cloud.http.simulate_get('/').json['versions']
    assert [(v['id'], v['status'], v['version']) for v in every] == [
        ('v2.0', 'DEPRECATED', ''), ('v2.1', 'CURRENT', str(history.MAX))]
    for path in ('/v2.1', '/v2.1/'):
        one = cloud.http.simulate_get(path).json['version']
        assert (one['id'], one['min_version']) == ('v2.1', '2.1') and one['media-types']
    assert cloud.http.simulate_get('/v2').json['version']['id'] == 'v2.0'
    assert cloud.http.simulate_get('/v2.1/versions/v2.1').json['version']['version'] == str(history.MAX)
    assert cloud.http.simulate_get('/v2.1/versions/v9').status_code == 404
    assert cloud.http.simulate_get('/healthcheck').text == 'OK'
    assert cloud.http.simulate_get('/openapi.json?version=2.96').json['info']['version'] == '2.96'


def test_what_watches_the_service_may_ask_for_headers_only(cloud: Cloud) -> None:
    for path in ('/', '/v2.1/', '/healthcheck'):
        answer = cloud.http.simulate_head(path)
        assert answer.status_code == 200 and not answer.content, path


def test_nobody_writes_lines_of_his_own_into_the_log(cloud: Cloud, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, 'nova'):
        cloud.call('GET', '/servers/x%0A2026-01-01%20ERROR%00%1B[2J?name=%0Ay')
    told = [record.getMessage() for record in caplog.records if 'status: ' in record.getMessage()]
    assert len(told) == 1 and told[0].isprintable()
    assert '/servers/x%0A2026-01-01%20ERROR%00%1B[2J?name=%0Ay"' in told[0]


def test_path_without_a_version_is_answered_with_choices(cloud: Cloud) -> None:
    answer = cloud.http.simulate_get('/servers')
    assert answer.status_code == 300
    assert answer.json['choices'][0]['links'][0]['href'].endswith('/v2.1/servers')


@pytest.mark.parametrize('path', [
    '/flavors/', '/flavors/detail/', '/os-simple-tenant-usage/', f'/{PROJECT}/flavors/'])
def test_a_slash_at_the_end_of_a_path_is_an_id_without_letters(cloud: Cloud, path: str) -> None:
    """Nobody has that id: who asks for one thing and has forgotten which does not get all of them."""
    assert cloud.call('GET', path.removesuffix('/')).status_code == 200
    assert cloud.call('GET', path).status_code == 404
    assert cloud.call('GET', '/').status_code == 200


def test_a_line_break_in_a_path_is_a_part_of_a_name(cloud: Cloud) -> None:
    assert cloud.call('GET', '/flavors/%0A').status_code == 404
    assert cloud.call('GET', f'/{PROJECT}%0A/flavors').status_code == 404


def test_what_is_answered_with_another_code_of_success_is_described(cloud: Cloud) -> None:
    paths = cloud.http.simulate_get('/openapi.json').json['paths']
    assert {'200', '207'} <= set(paths['/os-server-external-events']['post']['responses'])
    assert {'201', '204'} <= set(paths['/servers/{server_id}/tags/{tag}']['put']['responses'])


def test_project_in_the_path_must_be_the_tokens(cloud: Cloud) -> None:
    assert cloud.call('GET', f'/{PROJECT}/flavors').status_code == 200
    assert cloud.call('GET', f'/{OTHER}/flavors').status_code == 400
    assert cloud.call('GET', '/not-a-project/flavors').status_code == 404


def test_microversion_is_negotiated_and_told(cloud: Cloud) -> None:
    """API-S2"""
    plain = cloud.call('GET', '/flavors')
    assert plain.headers['openstack-api-version'] == 'compute 2.1'
    assert plain.headers['x-openstack-nova-api-version'] == '2.1'
    assert plain.headers['vary'] == 'OpenStack-API-Version, X-OpenStack-Nova-API-Version'
    old = cloud.call('GET', '/flavors', headers={**ADMIN, 'X-OpenStack-Nova-API-Version': '2.60'})
    assert old.headers['openstack-api-version'] == 'compute 2.60'
    assert cloud.call('GET', '/flavors', 'latest').headers['x-openstack-nova-api-version'] == str(history.MAX)
    beyond = cloud.call('GET', '/flavors', '2.999')
    assert beyond.status_code == 406 and beyond.json['computeFault']['code'] == 406
    assert cloud.call('GET', '/flavors', 'two').status_code == 400


def test_v2_knows_no_microversion_and_lets_unknown_keys_pass(cloud: Cloud) -> None:
    body = {'flavor': {'name': 'a', 'ram': 1, 'vcpus': 1, 'disk': 1, 'nonsense': 1}}
    assert cloud.call('POST', '/flavors', json=body).status_code == 400
    answer = cloud.http.simulate_post('/v2/flavors', json=body, headers={
        **ADMIN, 'OpenStack-API-Version': 'compute 2.90'})
    assert answer.status_code == 200 and 'description' not in answer.json['flavor']
    assert 'openstack-api-version' not in answer.headers
    assert answer.json['flavor']['links'][0]['href'].startswith('http://falconframework.org/v2/flavors/')


@pytest.mark.parametrize(('path', 'under', 'more', 'ok'), [
    ('/flavors', 'flavor', {'ram': 1, 'vcpus': 1, 'disk': 1}, 200), ('/os-aggregates', 'aggregate', {}, 200),
    ('/os-keypairs', 'keypair', {}, 200)])
def test_blanks_around_names_are_refused_and_trimmed_at_v2(
        cloud: Cloud, path: str, under: str, more: dict[str, Any], ok: int) -> None:
    for name in (' a', 'a ', ' a ', '  '):
        body = {under: {'name': name, **more}}
        assert cloud.call('POST', path, json=body).status_code == 400, name
    answer = cloud.http.simulate_post(f'/v2{path}', json={under: {'name': ' a b ', **more}}, headers=ADMIN)
    assert answer.status_code == ok and answer.json[under]['name'] == 'a b'
    answer = cloud.http.simulate_post(f'/v2{path}', json={under: {'name': '  ', **more}}, headers=ADMIN)
    assert answer.status_code == 400


@pytest.mark.parametrize(('media', 'status'), [
    ('application/json', 200), (None, 200), ('text/plain', 200), ('text/plain; charset=utf-8', 200),
    ('application/xml', 415), ('text/html', 415)])
def test_what_a_body_is_declared_as(cloud: Cloud, media: str | None, status: int) -> None:
    headers = {**ADMIN, **({'Content-Type': media} if media else {})}
    answer = cloud.http.simulate_post(
        '/v2.1/os-aggregates', body='{"aggregate": {"name": "a"}}', headers=headers)
    assert answer.status_code == status


def test_request_ids(cloud: Cloud) -> None:
    answer = cloud.call('GET', '/flavors')
    assert answer.headers['x-compute-request-id'] == answer.headers['x-openstack-request-id']
    assert answer.headers['x-compute-request-id'].startswith('req-')


def test_faults(cloud: Cloud) -> None:
    nobody = cloud.http.simulate_get('/v2.1/flavors')
    assert nobody.status_code == 401 and nobody.json['unauthorized']['code'] == 401
    missing = cloud.call('GET', '/flavors/nope')
    assert missing.json == {'itemNotFound': {'code': 404, 'message': 'Flavor nope could not be found.'}}
    denied = cloud.call('POST', '/flavors', headers=MEMBER, json={
        'flavor': {'name': 'a', 'ram': 1, 'vcpus': 1, 'disk': 1}})
    assert denied.status_code == 403 and 'os-flavor-manage:create' in denied.json['forbidden']['message']
    unknown = cloud.call('GET', '/nowhere')
    assert unknown.status_code == 404 and unknown.text.startswith('404')
    unrouted = cloud.call('PATCH', '/flavors')
    assert unrouted.status_code == 404 and unrouted.text.startswith('404')
    early = cloud.call('PUT', '/flavors/a', '2.54', json={})
    assert early.status_code == 404 and 'itemNotFound' in early.json
    media = cloud.call('POST', '/flavors', body='<a/>', headers={**ADMIN, 'Content-Type': 'application/xml'})
    assert media.status_code == 415 and 'badMediaType' in media.json
    broken = cloud.call('POST', '/flavors', body='{', headers={**ADMIN, 'Content-Type': 'application/json'})
    assert broken.status_code == 400 and 'badRequest' in broken.json
    large = cloud.call('POST', '/flavors', body='"' + 'a' * 120000 + '"',
                       headers={**ADMIN, 'Content-Type': 'application/json'})
    assert large.status_code == 413 and 'overLimit' in large.json


def test_unknown_query_keys_are_refused_from_the_strict_version_on(cloud: Cloud) -> None:
    assert cloud.call('GET', '/flavors?nonsense=1', '2.74').status_code == 200
    assert cloud.call('GET', '/flavors?nonsense=1', '2.75').status_code == 400
    assert cloud.call('GET', '/extensions?nonsense=1', '2.101').status_code == 200
    assert cloud.call('GET', '/extensions?nonsense=1', '2.102').status_code == 400
    assert cloud.call('GET', '/flavors?name=%ff').status_code == 400
    assert cloud.call('GET', '/flavors?limit=-1').status_code == 400


@pytest.mark.parametrize(('method', 'path'), [('GET', '/os-cells'), ('PUT', '/os-agents/1')])
def test_removed_apis_are_gone(cloud: Cloud, method: str, path: str) -> None:
    assert cloud.call(method, path, '2.60').status_code == 410


def test_actions_are_told_apart_by_their_single_key(cloud: Cloud) -> None:
    def act(body: dict) -> int:
        return cloud.call('POST', '/servers/c0ffee00-0000-4000-8000-000000000000/action', json=body).status_code
    assert act({}) == act({'a': 1, 'b': 2}) == act({'nonsense': None}) == 400
    assert act({'resetNetwork': None}) == 410
    assert act({'pause': None}) == 404


@pytest.mark.parametrize('method, path, body, status', [
    ('GET', '/servers/%00', None, 404), ('GET', '/servers?name=%00', None, 400),
    ('GET', '/servers?limit=1&a%00b=c', None, 400),
    ('POST', '/os-aggregates', {'aggregate': {'name': 'a\x00b'}}, 400),
    ('POST', '/servers', {'server': {'name': 'n', 'imageRef': '', 'flavorRef': '1', 'networks': 'none',
                                     'metadata': {'a': '\x00'}}}, 400)])
def test_no_text_has_a_nul(cloud: Cloud, method: str, path: str, body: Any, status: int) -> None:
    """Not every database could keep one."""
    assert cloud.call(method, path, '2.74' if '?' in path else '2.96', json=body).status_code == status


@pytest.mark.parametrize('path, version, status', [
    ('/os-aggregates/9999999999999999999', '2.96', 404), ('/os-hypervisors/9999999999999999999', '2.1', 404),
    ('/os-hypervisors/%C2%B2', '2.1', 404), ('/os-services/%C2%B2', '2.1', 400),
    ('/flavors?minRam=9999999999999999999', '2.96', 200), ('/servers?power_state=-9999999999', '2.96', 200)])
def test_numbers_that_no_column_holds(cloud: Cloud, path: str, version: str, status: int) -> None:
    method = 'DELETE' if 'os-services' in path else 'GET'
    assert cloud.call(method, path, version).status_code == status


def test_clients_of_old_find_what_they_look_for_among_the_extensions(cloud: Cloud) -> None:
    """7, found by use 9: the list of 2.1 has 98 of them, and what is behind them is of no account."""
    found = cloud.call('GET', '/extensions').json['extensions']
    aliases = {one['alias'] for one in found}
    assert 'Hosts' in [one['name'] for one in found] and len(aliases) == len(found) >= 98
    assert {'os-cells', 'os-fping', 'OS-EXT-STS', 'NMN', 'os-virtual-interfaces'} <= aliases
