"""Keys of encrypted volumes: by castellan, with the credentials of ``[key_manager]``."""

import logging

import pytest
from castellan.common import exception
from castellan.common.credentials import keystone_password
from castellan.common.objects import symmetric_key

from nova import conf as nova_conf
from nova import context, errors, keymgr
from nova.keymgr import conf_key_mgr
from nova.tests.fixtures import keys as fixture

CONTEXT = context.RequestContext('user', 'project')
FIXED = 'nova.keymgr.conf_key_mgr.ConfKeyManager'


def keys_of(backend, **options):
    conf = nova_conf.new(config_files=[])
    found = keymgr.Keys(conf)
    for name, value in {'backend': backend, **options}.items():
        conf.set_override(name, value, 'key_manager')
    return found


class Manager(conf_key_mgr.ConfKeyManager):
    """Notes who asks; fails where its key says so."""

    def __init__(self):
        self.asked = []

    def get(self, context, managed_object_id, metadata_only=False):
        self.asked.append(context)
        if managed_object_id == 'forbidden':
            raise exception.Forbidden()
        if managed_object_id == 'away':
            raise ConnectionError('no route to host')
        return symmetric_key.SymmetricKey('AES', 16, b'\x01\xff')


def test_the_key_of_the_configuration():
    """Cinder makes the same passphrase of the same key."""
    keys = keys_of(FIXED, fixed_key='00ff' * 16)
    assert keys.passphrase(CONTEXT, conf_key_mgr.KEY_ID) == '00ff' * 16
    with pytest.raises(errors.block.KeyUnavailable, match='Key not found'):
        keys.passphrase(CONTEXT, '11111111-0000-0000-0000-000000000000')


@pytest.mark.parametrize(('fixed', 'reason'), [
    (None, 'is not set'), ('', 'is not set'), ('xyz', 'hexadecimal')])
def test_a_configuration_without_a_key(fixed, reason):
    with pytest.raises(errors.block.KeyUnavailable, match=reason) as raised:
        keys_of(FIXED, fixed_key=fixed).passphrase(CONTEXT, conf_key_mgr.KEY_ID)
    assert 'xyz' not in str(raised.value)


def test_who_asks():
    """The service, where it has credentials; the user's token is never needed."""
    conf, manager = nova_conf.new(config_files=[]), Manager()
    keys = keymgr.Keys(conf, manager)
    assert keys.passphrase(CONTEXT, 'key') == '01ff'
    for name, value in {'auth_type': 'keystone_password', 'username': 'nova', 'password': 'secret'}.items():
        conf.set_override(name, value, 'key_manager')
    keys.passphrase(CONTEXT, 'key')
    first, second = manager.asked
    assert first is CONTEXT and isinstance(second, keystone_password.KeystonePassword)
    for key in ('forbidden', 'away'):
        with pytest.raises(errors.block.KeyUnavailable):
            keys.passphrase(CONTEXT, key)


def test_a_key_manager_that_does_not_exist():
    with pytest.raises(errors.block.KeyUnavailable, match='nowhere'):
        keys_of('nowhere.Manager').passphrase(CONTEXT, 'key')


def test_it_keeps_no_other_key():
    manager = conf_key_mgr.ConfKeyManager(nova_conf.new(config_files=[], **{'key_manager.fixed_key': 'ab'}))
    for act in (manager.create_key, manager.create_key_pair, manager.store, manager.delete,
                manager.add_consumer, manager.remove_consumer):
        with pytest.raises(exception.KeyManagerError):
            act(CONTEXT, 'anything')


def test_no_key_is_logged(caplog):
    """SEC: not when it is given, and not when it cannot be."""
    caplog.set_level(logging.DEBUG)
    keys_of(FIXED, fixed_key='c0ffee' * 10).passphrase(CONTEXT, conf_key_mgr.KEY_ID)
    assert 'c0ffee' not in caplog.text


def test_passphrases_of_tpms(caplog):
    """Kept, found by name, given, forgotten; and nowhere to be read."""
    caplog.set_level(logging.DEBUG)
    keys = keys_of(fixture.BACKEND)
    one, other = keys.make(CONTEXT, 'vTPM of one'), keys.make(CONTEXT, 'vTPM of one')
    assert set(keys.named(CONTEXT, 'vTPM of one')) == {one, other} and keys.named(CONTEXT, 'vTPM') == []
    found = keys.reveal(CONTEXT, one)
    assert len(found) == 64 and found != keys.reveal(CONTEXT, other)
    for _ in range(2):
        keys.forget(CONTEXT, one)
    with pytest.raises(errors.server.PassphraseUnavailable, match=one) as raised:
        keys.reveal(CONTEXT, one)
    assert found not in caplog.text + str(raised.value) + repr(keys)
    keys.forget(CONTEXT, other)


def test_a_key_manager_that_is_away():
    keys = keymgr.Keys(nova_conf.new(config_files=[]), Manager())
    with pytest.raises(errors.server.KeyManagerAway, match='no route to host') as raised:
        keys.reveal(CONTEXT, 'away')
    assert raised.value.again
    with pytest.raises(errors.server.PassphraseUnavailable):
        keys.reveal(CONTEXT, 'forbidden')


def test_a_key_manager_that_keeps_no_passphrases():
    keys = keys_of(FIXED, fixed_key='ab')
    with pytest.raises(errors.server.PassphraseUnavailable, match='keeps no others'):
        keys.make(CONTEXT, 'vTPM of one')
