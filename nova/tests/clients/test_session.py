"""What happens between us and a neighbour: retries with bounds, whose token, and what a refusal becomes."""

import json
import logging
import pathlib
import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests
from keystoneauth1 import access, identity, token_endpoint
from keystoneauth1 import session as ks_session
from requests import adapters

from nova import conf, errors
from nova.clients import build, session, transport
from nova.common import clock
from nova.context import RequestContext
from nova.tests.fixtures.waiting import until

SECRET = 'not-for-logs'


class Wire(adapters.BaseAdapter):
    """A neighbour that answers by script: each item an exception or (status, body)."""

    def __init__(self, *script: Any) -> None:
        super().__init__()
        self.script, self.seen = list(script), []

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self.seen.append((request, kwargs))
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, BaseException):
            raise answer
        response = requests.Response()
        response.status_code, response.reason = answer[0], 'Reason'
        response._content = json.dumps(answer[1]).encode()
        response.request, response.url = request, request.url
        return response

    def close(self) -> None:
        """Nothing is open."""


Make = Callable[..., tuple[session.Service, Wire]]


@pytest.fixture
def make() -> Make:
    def service(*script: Any, vouch: Any = None) -> tuple[session.Service, Wire]:
        sent, pool = Wire(*script), transport.Session()
        pool.mount('http://', sent)
        auth = token_endpoint.Token('http://there', SECRET)
        return session.Service('neutron', ks_session.Session(auth=auth, session=pool), {
            'service_type': 'network'}, errors.network.NetworkServiceFailed, errors.network.NetworkServiceAway,
            vouch=vouch), sent
    return service


GONE = requests.exceptions.ConnectionError('refused')


@pytest.mark.parametrize('method,times', [('GET', 3), ('PUT', 3), ('DELETE', 3), ('POST', 1), ('PATCH', 1)])
def test_only_what_may_be_repeated_is_repeated(make: Make, method: str, times: int) -> None:
    """A POST whose answer is lost may have happened: the caller looks, nobody sends it again blindly."""
    service, wire = make(GONE)
    with pytest.raises(errors.network.NetworkServiceFailed) as caught:
        service.call(method, '/x')
    assert (caught.value.status, len(wire.seen)) == (503, times)


@pytest.mark.parametrize('answer', [
    GONE, requests.exceptions.ReadTimeout('slow'), requests.exceptions.ChunkedEncodingError('reset'), (429, {}),
    (502, {}), (503, {}), (504, {})])
def test_who_is_away_may_be_asked_again(make: Make, answer: Any) -> None:
    """Refused and reset connections, time-outs and pleas for patience say nothing about what was asked for."""
    service, _ = make(answer)
    for context in (None, RequestContext('u', 'p', auth_token='users')):
        with pytest.raises(errors.network.NetworkServiceFailed) as caught:
            service.call('POST', '/x', context=context)
        assert caught.value.again


@pytest.mark.parametrize('answer', [(500, {}), (401, {}), (403, {}), (404, {}), (409, {}),
                                    requests.exceptions.SSLError('not trusted')])
def test_a_last_word_is_not_asked_for_again(make: Make, answer: Any) -> None:
    service, _ = make(answer)
    with pytest.raises(errors.NovaError) as caught:
        service.call('POST', '/x')
    assert not caught.value.again


def test_whether_to_ask_again_survives_the_bus(make: Make) -> None:
    """Hosts send their errors to the conductor, which decides."""
    service, _ = make(GONE)
    with pytest.raises(errors.Unavailable) as caught:
        service.call('POST', '/x')
    assert errors.from_dict(errors.to_dict(caught.value)).again


def test_a_keystone_that_is_away_is_waited_for() -> None:
    """Without a token nothing is asked of the neighbour, and nothing has failed."""
    pool = requests.Session()
    pool.mount('http://', Wire(GONE))
    auth = identity.Password(auth_url='http://keystone', username='u', password='p', project_name='p',
                             user_domain_id='default', project_domain_id='default')
    service = session.Service('neutron', ks_session.Session(auth=auth, session=pool), {
        'service_type': 'network'}, errors.network.NetworkServiceFailed, errors.network.NetworkServiceAway)
    with pytest.raises(errors.network.NetworkServiceAway):
        service.call('POST', '/x')


REFUSED = (403, {'NeutronError': {'type': 'PolicyNotAuthorized', 'message': 'Disallowed by policy'}})


def test_a_service_that_starts_refuses_what_it_allowed_before(make: Make) -> None:
    """Neutron answers 403 until it has read its policy; a user is not told that he may not."""
    service, _ = make((200, {}), REFUSED)
    user = RequestContext('u', 'p', auth_token='users')
    service.call('PUT', '/ports/00000000-0000-0000-0000-000000000001')
    with pytest.raises(errors.network.NetworkServiceAway):
        service.call('PUT', '/ports/00000000-0000-0000-0000-000000000002')
    with pytest.raises(errors.network.NetworkServiceAway):
        service.call('POST', '/ports', context=user)


def test_a_service_that_was_away_settles_within_a_minute(
        make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(clock, 'monotonic', lambda: now)
    service, _ = make(GONE, REFUSED)
    user = RequestContext('u', 'p', auth_token='users')
    with pytest.raises(errors.network.NetworkServiceAway):
        service.call('POST', '/ports', context=user)
    with pytest.raises(errors.network.NetworkServiceAway):
        service.call('POST', '/ports', context=user)
    now += 61
    with pytest.raises(errors.Forbidden):
        service.call('POST', '/ports', context=user)


def test_a_body_that_breaks_off_is_worth_another_try(make: Make) -> None:
    class Broken(requests.Response):
        def iter_content(self, *args: Any, **kwargs: Any) -> Any:
            raise requests.exceptions.ChunkedEncodingError('reset')
    with pytest.raises(errors.image.ImageServiceAway):
        list(session.Answer(Broken(), errors.image.ImageServiceAway).chunks(1))


def test_a_neighbour_that_comes_back_is_not_noticed(make: Make) -> None:
    service, wire = make(GONE, (503, {}), (200, {'ports': []}))
    assert service.call('GET', '/x').json() == {'ports': []}
    assert len(wire.seen) == 3


def test_every_request_has_a_timeout(make: Make) -> None:
    service, wire = make((200, {}))
    service.call('GET', '/x')
    assert wire.seen[0][1]['timeout'] == 60.0


@pytest.mark.parametrize(('name', 'sent'), [
    ('a?limit=1', '/x/a%3Flimit%3D1'), ('a#b', '/x/a%23b'), ('a%2e', '/x/a%252e'), ('\n', '/x/%0A')])
def test_a_name_in_a_path_leads_nowhere_else(make: Make, name: str, sent: str) -> None:
    service, wire = make((200, {}))
    service.call('GET', f'/x/{name}')
    assert wire.seen[0][0].path_url == sent
    for up in ('..', '.'):
        with pytest.raises(errors.NotFound):
            service.call('GET', f'/x/{up}')
    with pytest.raises(errors.Conflict):
        service.call('GET', '/x/..', on={404: errors.Conflict})
    assert len(wire.seen) == 1


def test_whose_token(make: Make) -> None:
    """A context with a token makes the call the user's; without, it is ours. The request id goes along."""
    service, wire = make((200, {}), vouch=token_endpoint.Token('http://there', 'voucher'))
    request_id = 'req-00000000-0000-0000-0000-000000000001'
    user = RequestContext('u', 'p', auth_token='users', global_request_id=request_id)
    service.call('GET', '/x', context=user)
    service.call('GET', '/x', context=RequestContext('u', 'p'))
    first, second = (request.headers for request, _ in wire.seen)
    assert (first['X-Auth-Token'], first['X-Service-Token']) == ('users', 'voucher')
    assert first['X-Openstack-Request-Id'] == request_id
    assert second['X-Auth-Token'] == SECRET


@pytest.mark.parametrize('status,as_user,expected', [
    (500, False, errors.network.NetworkServiceFailed), (503, True, errors.network.NetworkServiceFailed),
    (401, False, errors.network.NetworkServiceFailed), (403, False, errors.network.NetworkServiceFailed),
    (403, True, errors.Forbidden), (400, False, errors.Invalid), (409, True, errors.Invalid)])
def test_a_refusal_becomes_one_of_our_errors(make: Make, status: int, as_user: bool, expected: type) -> None:
    service, _ = make((status, {'NeutronError': {'type': 'X', 'message': 'No, because.', 'detail': ''}}))
    context = RequestContext('u', 'p', auth_token='users') if as_user else None
    with pytest.raises(expected):
        service.call('POST', '/x', context=context)


@pytest.mark.parametrize('body,message,code', [
    ({'NeutronError': {'type': 'PortInUse', 'message': 'Port is used.', 'detail': ''}},
     'Port is used.', 'PortInUse'),
    ({'errors': [{'detail': 'No room.', 'code': 'placement.undefined_code'}]}, 'No room.',
     'placement.undefined_code'),
    ({'badRequest': {'message': 'Bad.', 'code': 400}}, 'Bad.', ''), ({}, 'Reason', ''), ([], 'Reason', '')])
def test_every_envelope_is_read(make: Make, body: Any, message: str, code: str) -> None:
    service, _ = make((409, body))
    answer = service.call('POST', '/x', allow=(409,))
    assert (answer.message, answer.code) == (message, code)


def test_secrets_stay_out_of_logs_and_errors(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    service, _ = make(GONE)
    user = RequestContext('u', 'p', auth_token='users-own-token')
    for context in (None, user):
        with pytest.raises(errors.Unavailable) as caught:
            service.call('GET', '/x', context=context)
        assert SECRET not in str(caught.value)
    assert caplog.records
    assert not any(word in caplog.text + repr(service) for word in (SECRET, 'users-own-token'))


def test_a_neighbour_that_is_not_configured_says_so_when_used(caplog: pytest.LogCaptureFixture) -> None:
    clients = build(conf.new(config_files=[]))
    with pytest.raises(errors.block.VolumeServiceFailed):
        clients.volume.show(None, 'volume')
    assert '[cinder]' in caplog.text and 'auth_type' in caplog.text


class Catalog(identity.Password):
    """Credentials of a cloud whose catalog is counted when it is read; its tokens are numbered."""

    def __init__(self) -> None:
        super().__init__(auth_url='http://keystone', username='u', password='p')
        self.reads = self.tokens = 0

    def get_auth_ref(self, session: Any, **kwargs: Any) -> access.AccessInfo:
        self.tokens += 1
        endpoint = {'interface': 'public', 'url': f'http://there{self.tokens}', 'region_id': 'R', 'id': 'e'}
        return access.AccessInfoV3({'token': {
            'project': {'id': 'p'}, 'user': {'id': 'u'}, 'methods': ['password'],
            'expires_at': '2999-01-01T00:00:00.000000Z', 'issued_at': '2026-01-01T00:00:00.000000Z',
            'catalog': [{'type': 'network', 'name': 'n', 'id': 's', 'endpoints': [endpoint]}]}},
            auth_token=f'token{self.tokens}')

    def get_endpoint(self, session: Any, **kwargs: Any) -> str | None:
        self.reads += 1
        return super().get_endpoint(session, **kwargs)


def at_catalog(*script: Any) -> tuple[session.Service, Wire, Catalog]:
    sent, pool, auth = Wire(*script), transport.Session(), Catalog()
    pool.mount('http://', sent)
    where = {'service_type': 'network', 'interface': 'public'}
    return session.Service('neutron', ks_session.Session(auth=auth, session=pool), where,
                           errors.network.NetworkServiceFailed, errors.network.NetworkServiceAway), sent, auth


def test_a_catalog_is_read_once_a_token() -> None:
    """One that is refused is replaced, and the new one's catalog counts."""
    service, sent, auth = at_catalog((200, {}), (200, {}), (401, {}), (200, {}), (200, {}))
    for _ in range(4):
        service.call('GET', '/x')
    assert [(request.url, request.headers['X-Auth-Token']) for request, _ in sent.seen] == [
        ('http://there1/x', 'token1')] * 3 + [('http://there1/x', 'token2'), ('http://there2/x', 'token2')]
    assert (auth.tokens, auth.reads) == (2, 2)


def test_a_token_is_renewed_before_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    service, sent, auth = at_catalog((200, {}))
    service.call('GET', '/x')
    now = clock.monotonic() + 2
    monkeypatch.setattr(clock, 'monotonic', lambda: now)
    monkeypatch.setattr(auth.auth_ref, 'will_expire_soon', lambda seconds: True)
    service.call('GET', '/x')
    assert [request.headers['X-Auth-Token'] for request, _ in sent.seen] == ['token1', 'token2']


def test_alike_looks_that_come_at_once_are_one_request() -> None:
    """Who asks while one is under way waits for the next, which all who wait share."""
    gate, begun = threading.Event(), threading.Event()

    class Slow(Wire):
        def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
            begun.set()
            assert gate.wait(60)
            return super().send(request, **kwargs)
    sent, pool = Slow((200, {'networks': []})), transport.Session()
    pool.mount('http://', sent)
    service = session.Service(
        'neutron', ks_session.Session(auth=token_endpoint.Token('http://there', SECRET), session=pool),
        {'service_type': 'network'}, errors.network.NetworkServiceFailed, errors.network.NetworkServiceAway)
    found: list[Any] = []

    def look() -> None:
        found.append(service.look('/networks', [('id', 'n')]).json())
    threads = [threading.Thread(target=look) for _ in range(6)]
    threads[0].start()
    assert begun.wait(60)
    for one in threads[1:]:
        one.start()
    until(lambda: len(service._looks._next) == 1)
    gate.set()
    for one in threads:
        one.join(60)
    assert found == [{'networks': []}] * 6 and 2 <= len(sent.seen) <= 6
    assert all(one is not other for index, one in enumerate(found) for other in found[:index])


def test_what_the_environment_says_holds_and_nothing_else_is_sent(
        monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    """Proxies and certificates are those of the environment; a password in a file is not for neighbours."""
    netrc = tmp_path / 'netrc'
    netrc.write_text('machine there login somebody password his\n')
    monkeypatch.setenv('NETRC', str(netrc))
    monkeypatch.setenv('http_proxy', 'http://proxy:3128')
    monkeypatch.setenv('no_proxy', 'near')
    monkeypatch.setenv('REQUESTS_CA_BUNDLE', '/ca.pem')
    sent, pool = Wire((200, {})), transport.Session()
    pool.mount('http://', sent)
    for url in ('http://there/x', 'http://near/x', 'http://there/y'):
        pool.request('POST', url, params=[('a', 'b c')], data=b'{}', headers={'X-Auth-Token': 't'}, verify=True)
    proxies = [how['proxies'].get('http') for _, how in sent.seen]
    assert proxies == ['http://proxy:3128', None, 'http://proxy:3128']
    assert {how['verify'] for _, how in sent.seen} == {'/ca.pem'}
    request = sent.seen[0][0]
    assert (request.url, request.body) == ('http://there/x?a=b+c', b'{}')
    assert request.headers['Content-Length'] == '2' and not {'Authorization', 'Cookie'} & set(request.headers)
