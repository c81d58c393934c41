"""What operators see of an operation: log lines that name its request and server, and metrics."""

import contextlib
import json
import logging
import re

import pytest
from oslo_log import formatters

from nova import conf as nova_conf
from nova.common import metrics
from nova.tests.fixtures.waiting import until

pytestmark = pytest.mark.parametrize('cloud', ['sqlite'], indirect=True)


class Lines(logging.Handler):
    """Every line of ours as JSON, as text, and as it was."""

    def __init__(self):
        super().__init__()
        self.json = formatters.JSONFormatter()
        self.text = formatters.ContextFormatter(
            config=nova_conf.new(config_files=[]), project='nova', version='1')
        self.lines = []

    def emit(self, record):
        self.lines.append((json.loads(self.json.format(record)), self.text.format(record)))


@contextlib.contextmanager
def listening():
    log, handler = logging.getLogger('nova'), Lines()
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield handler.lines
    finally:
        log.removeHandler(handler)
        log.setLevel(level)


def test_an_operation_is_found_in_the_logs(cloud, demo):
    """By request and by server: in the API, in conductors and on the host, as text and as JSON."""
    server = demo.booted('logged')['id']
    with listening() as lines:
        answer = demo.call('POST', f'/servers/{server}/action', {'pause': None})
        request = answer.headers['X-OpenStack-Request-ID']
        until(lambda: any('(pause) is done' in text for _, text in lines))
        demo.wait(server, 'PAUSED')
    mine = [(line, text) for line, text in lines if line['context'].get('request_id') == request]
    assert {'nova.common.middleware', 'nova.compute.step_runner', 'nova.task.runner'} <= {
        line['name'] for line, _ in mine}
    for line, text in mine:
        context = line['context']
        assert context['resource_uuid'] == server, line['message']
        assert f'[instance: {server}] ' in text and request in text
        assert re.search(rf'\[\S+ {request} {context["user_id"]} {context["project_id"]} ', text), text
    assert demo.token not in json.dumps(lines)
    demo.delete(server)


def test_a_request_that_fails_is_found_too(cloud, demo):
    """Also before anybody knows who asks, and where there is no server."""
    with listening() as lines:
        nobody = demo.http.get(cloud.deployment.url('compute') + '/v2.1/servers')
        assert nobody.status_code == 401
        missing = demo.call('GET', '/servers/none')
    for answer in (nobody, missing):
        request = answer.headers['X-OpenStack-Request-ID']
        line, = [line for line, _ in lines if line['context'].get('request_id') == request]
        assert f'status: {answer.status_code}' in line['message'] and not line['context'].get('resource_uuid')


def _counted(metric, **labels):
    """How often, with these labels."""
    return sum(int(sample.value) for family in metric.collect() for sample in family.samples
               if sample.name.endswith('_count') and labels.items() <= sample.labels.items())


def test_everything_is_counted(cloud, demo):
    """Tasks, steps in conductors and on hosts, messages, HTTP requests by the template of their path."""
    wanted = {
        'task': (metrics.TASKS, {'flow': 'build', 'outcome': 'done'}),
        'host step': (metrics.STEPS, {'flow': 'build', 'step': 'spawn', 'direction': 'do', 'outcome': 'done'}),
        'conductor step': (metrics.STEPS, {'flow': 'delete', 'step': 'cancel_holder', 'outcome': 'done'}),
        'message': (metrics.RPC_SERVED, {'topic': 'compute', 'method': 'run_step', 'outcome': 'ok'}),
        'POST': (metrics.HTTP, {'method': 'POST', 'path': '/servers', 'status': '202'}),
        'GET': (metrics.HTTP, {'method': 'GET', 'path': '/servers/{server_id}', 'status': '200'}),
        'Placement': (metrics.HTTP, {'method': 'GET', 'path': '/allocation_candidates', 'status': '200'}),
        'nowhere': (metrics.HTTP, {'method': 'GET', 'path': 'other', 'status': '404'})}
    before = {name: _counted(metric, **labels) for name, (metric, labels) in wanted.items()}
    server = demo.booted('counted')['id']
    demo.call('GET', '/no/such/path')
    demo.delete(server)
    after = {name: _counted(metric, **labels) for name, (metric, labels) in wanted.items()}
    assert [name for name in wanted if after[name] <= before[name]] == []
    page = metrics.Page(0, {}).answer('/metrics')[2].decode()
    for name in ('nova_task_seconds', 'nova_step_seconds', 'nova_rpc_served_seconds', 'nova_rpc_sent_total',
                 'nova_http_seconds'):
        assert f'# TYPE {name.removesuffix("_total")}' in page
    assert server not in page, 'paths of single servers would be without number'
