"""What the release before sends and keeps is read, and it is spoken to in its own form.

``previous.json`` was written by that release itself (`record`), whose commit is in ``previous.txt``.
"""

import json
import pathlib

import oslo_messaging
import pytest

from nova import conf as nova_conf
from nova import context, ops, release
from nova.objects import base, wire
from nova.objects import task as rows
from nova.rpc import conductor, host, scheduler, transport
from nova.task import flow as flows
from nova.task import run as runs
from nova.tests.contracts import lock

HERE = pathlib.Path(__file__).parent
FORMS = json.loads((HERE / 'previous.json').read_text())
INTERFACES = (host.ComputeHost, conductor.Conductor, scheduler.Scheduler)
TOPICS = {interface.topic: interface for interface in INTERFACES}

ops.load()


def each(kind):
    return pytest.mark.parametrize('form', list(FORMS[kind].values()), ids=list(FORMS[kind]))


def shown(form):
    """A form without what says only which fields were set: an older reader takes that as it comes."""
    if isinstance(form, dict):
        return {name: shown(value) for name, value in form.items() if name != wire.CHANGES}
    return [shown(value) for value in form] if isinstance(form, list) else form


@pytest.fixture(scope='module')
def bus():
    conf = nova_conf.new(config_files=[], transport_url='inproc://previous')
    found = transport.Buses(conf)
    yield found.top
    found.close()


class Endpoint:
    """Keeps what a service hears, and answers what is to be answered."""

    def __init__(self, interface):
        self.heard, self.answer = [], None
        for name in interface.methods:
            setattr(self, name, self._hear)

    def _hear(self, context, record):
        self.heard.append(record)
        return self.answer


@each('messages')
def test_a_message_of_the_release_before_is_understood(form):
    """UPG-S4."""
    method = TOPICS[form['topic']].methods[form['method']]
    assert form['version'] == method.since, 'it names the version that the method came in'
    record = base.Record.from_wire(form['args']['record'])
    assert isinstance(record, method.takes)
    assert context.RequestContext.from_dict(form['context']).request_id


class Wire:
    """A bus that keeps what is sent, and answers with what the release before answered."""

    name = 'wire'

    def __init__(self, answer=None):
        self.conf, self.answer, self.sent = nova_conf.new(config_files=[]), answer, []

    def cast(self, target, context, method, args, keep=0.0):
        self.sent.append((target, method, args))

    def call(self, target, context, method, args, timeout, silence=None):
        self.sent.append((target, method, args))
        return self.answer


@each('messages')
def test_the_release_before_is_spoken_to_in_its_form(form):
    """Every field that it sent itself, in the versions that it knows, and no other one; its answer is read."""
    bus = Wire(form['answer'])
    client = TOPICS[form['topic']].client(bus, 'host', speaks=lambda: release.PREVIOUS)
    record = base.Record.from_wire(form['args']['record'])
    answer = getattr(client, form['method'])(context.admin(), record)
    (target, name, args), = bus.sent
    assert (target.topic, name, target.version) == (form['topic'], form['method'], form['version'])
    assert shown(args) == shown(form['args'])
    if form['answer'] is not None:
        kind = TOPICS[form['topic']].methods[name].returns
        assert isinstance(answer, kind)
        assert shown(answer.to_wire(release.PREVIOUS.records)) == shown(form['answer']['record'])


@each('records')
def test_a_record_of_the_release_before_is_read_and_written_as_it_was(form):
    record = base.Record.from_wire(form)
    assert shown(record.to_wire(release.PREVIOUS.records)) == shown(form)


@each('tasks')
def test_a_task_of_the_release_before_is_taken_on(form):
    """Its flow is known in that version, so is the step, and what it keeps stays legible to who began it."""
    values = {name: form.get(name) for name in rows.Task.__dataclass_fields__}
    task = rows.Task(**values)
    flow = flows.known(task.flow, task.flow_version)
    assert flow is not None and (task.flow, task.flow_version) in release.PREVIOUS.flows.items()
    if task.step is not None:
        run = runs.read(task, None)
        assert run is not None and run.step.name == task.step
        assert shown(flow.kept(run.state)) == shown(form['state'])


def test_every_flow_of_the_release_before_is_there():
    """And with the steps that it had: their names, their places, their points of no return."""
    for name, version in release.PREVIOUS.flows.items():
        flow = flows.known(name, version)
        assert flow is not None, f'{name} {version}: keep it in before.py'
        assert flows.at(flow, release.PREVIOUS) is flow
        seen = {step for key in FORMS['tasks'] for known, _, step, *_ in [key.split()] if known == name}
        assert seen <= {step.name for step in flow.steps}, name


def test_what_the_release_before_does_not_know_is_not_begun_for_it():
    newest = flows.find('build')
    assert newest.version != '1.0' and flows.at(newest, release.PREVIOUS).version == '1.0'
    assert flows.at(newest, release.CURRENT) is newest
    assert flows.at(flows.find('resize'), release.PREVIOUS) is None


def test_records_that_have_grown_are_named():
    """Who raises a record's version says so in `nova.release`, where the release before sends or reads it."""
    grown = {name: form[wire.VERSION] for name, form in FORMS['records'].items()
             if form[wire.VERSION] != wire.KINDS[name].VERSION}
    assert grown.items() <= release.PREVIOUS.records.items()


def test_the_interfaces_are_those_of_the_forms():
    spoken = {(form['topic'], form['args']['speaks']) for form in FORMS['messages'].values()}
    assert spoken == set(release.PREVIOUS.interfaces.items())


def test_a_server_takes_a_message_of_the_release_before(bus):
    """Over a bus: dispatched, read, answered in its form."""
    form = FORMS['messages']['conductor.host_up']
    endpoint = Endpoint(conductor.Conductor)
    endpoint.answer = base.Record.from_wire(form['answer']['record'])
    endpoint.answer.epoch = 7
    server = conductor.Conductor.server(bus, 'here', endpoint)
    server.start()
    try:
        target = oslo_messaging.Target(topic='conductor', version=form['version'])
        answer = bus.call(target, context.admin().to_dict(), 'host_up', form['args'], 10)
    finally:
        server.stop()
        server.wait()
    assert endpoint.heard[0].host == form['args']['record']['nova_object.data']['host']
    assert 'epoch' not in answer['record'][wire.DATA] and answer['record'][wire.VERSION] == '1.0'


def test_contracts_lock_has_the_flows_of_the_release_before():
    kept = {line.split()[1] for line in lock.read() if line.startswith('flow-before ')}
    assert kept == {name for name, version in release.PREVIOUS.flows.items()
                    if flows.find(name).version != version}
