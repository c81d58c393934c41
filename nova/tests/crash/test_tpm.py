"""Passphrases of emulated TPMs: each server with a TPM has one, and nobody else has any, whoever dies."""

import logging

import pytest

from nova import errors, states
from nova.domain import tpm
from nova.steps import tpm as steps
from nova.tests.simulation import invariants

EFFECTS = 17
"""Of a build with a TPM; test_a_build counts them."""
AWAY = errors.server.KeyManagerAway(name='any', reason='nobody answers')
REFUSES = errors.server.PassphraseUnavailable(name='any', reason='it is not yours')


@pytest.fixture
def world(new_world):
    return with_tpms(new_world())


def with_tpms(world):
    world.flavor.extra_specs = {'hw:tpm_version': '2.0'}
    return world


def test_a_build(world):
    """Made as the server is, named after it, deleted with it."""
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.script.count == EFFECTS
    server = world.server(uuid)
    assert world.clients.keys.kept == {server.system_metadata[tpm.KEY]: steps.name_of(server)}
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert world.clients.keys.kept == {}


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, EFFECTS + 1))
def test_killed_at_any_effect(world, number, when):
    world.script.kill(number, when)
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE
    assert len(world.clients.keys.kept) == 1


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, EFFECTS + 1))
def test_deleted_at_any_effect(world, number, when):
    uuids = []
    world.script.do(number, when, lambda: world.delete(uuids[0]))
    uuids += world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuids[0]) is None and world.clients.keys.kept == {}


@pytest.mark.parametrize('when', ['before', 'after'])
@pytest.mark.parametrize('number', range(1, 12))
def test_a_deletion_is_killed_at_any_effect(world, number, when):
    uuid, = world.order()
    world.settle()
    world.count_from_here()
    world.script.kill(number, when)
    world.delete(uuid)
    world.settle()
    invariants.check(world)
    assert world.server(uuid) is None and world.clients.keys.kept == {}


@pytest.mark.parametrize('late', [False, True])
def test_a_key_manager_that_does_not_keep_it(world, late):
    """The server is an error that says so; what was kept all the same is gone."""
    world.clients.keys.fail('make', REFUSES, late=late)
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ERROR and world.clients.keys.kept == {}
    assert 'it is not yours' in str(world.failed_tasks()[0].error)


@pytest.mark.parametrize('late', [False, True])
def test_a_key_manager_that_is_away_for_a_while(world, late):
    """Building and deleting wait for it."""
    world.clients.keys.fail('make', AWAY, times=5, late=late)
    uuid, = world.order()
    world.settle()
    invariants.check(world)
    assert world.server(uuid).vm_state == states.VM.ACTIVE
    world.clients.keys.fail('forget', AWAY, times=20)
    world.delete(uuid)
    world.settle()
    assert world.server(uuid) is None and world.clients.keys.kept == {}


def test_a_key_manager_that_refuses_for_a_moment(world):
    uuid, = world.order()
    world.settle()
    world.clients.keys.fail('forget', REFUSES, times=steps.PATIENCE - 1)
    world.delete(uuid)
    world.settle()
    assert world.server(uuid) is None and world.clients.keys.kept == {}


def test_a_key_manager_that_refuses(world, caplog):
    """Nobody's deletion waits for that for ever; operators are told which passphrase stays."""
    caplog.set_level(logging.WARNING)
    uuid, = world.order()
    world.settle()
    left, = world.clients.keys.kept
    world.clients.keys.fail('forget', REFUSES, times=100)
    world.delete(uuid)
    world.settle()
    assert world.server(uuid) is None and left in caplog.text


def test_servers_without_a_tpm_have_none(new_world):
    world = new_world()
    world.order()
    world.settle()
    assert world.clients.keys.kept == {}
