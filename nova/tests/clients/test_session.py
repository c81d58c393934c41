"""What happens between us and a neighbour: retries with bounds, whose token, and what a refusal becomes."""

import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
import requests
from keystoneauth1 import identity, token_endpoint
from keystoneauth1 import session as ks_session
from requests import adapters

from nova import conf, errors
from nova.clients import build, session
from nova.common import clock
from nova.context import RequestContext

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
        wire, pool = Wire(*script), requests.Session()
        pool.mount('http://', wire)
        auth = token_endpoint.Token('http://there', SECRET)
        return session.Service('neutron', ks_session.Session(auth=auth, session=pool), {
            'service_type': 'network'}, errors.network.NetworkServiceFailed, errors.network.NetworkServiceAway,
            vouch=vouch), wire
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
