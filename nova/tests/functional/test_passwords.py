"""The password that the API answers is the one that the guest is given, wherever it is made."""

import pytest

from nova.tests.fixtures.waiting import until
from nova.tests.functional.moving import host_of
from nova.tests.functional.test_evacuate import dead, evacuate
from nova.virt.fake import driver as fake_driver

pytestmark = [pytest.mark.parametrize('cloud', ['sqlite'], indirect=True),
              pytest.mark.usefixtures('nothing_leaks')]


@pytest.fixture
def given(monkeypatch):
    """Server uuid to the passwords that its guest was given, each time it was made or rescued."""
    found = {}

    def watched(effect):
        def watch(driver, h, *args, **kwargs):
            effect(driver, h, *args, **kwargs)
            found.setdefault(h.instance.uuid, []).append(driver.passwords[h.instance.uuid])
        return watch
    for name in ('spawn', 'rescue'):
        monkeypatch.setattr(fake_driver.FakeDriver, name, watched(getattr(fake_driver.FakeDriver, name)))
    return found


def booted(demo, **fields):
    """(uuid, password that was answered) of a server that runs."""
    answer = demo.boot('guarded', **fields).json()['server']
    demo.wait(answer['id'], 'ACTIVE')
    return answer['id'], answer['adminPass']


@pytest.mark.parametrize('fields', [{'adminPass': 'chosen-1'}, {}])
def test_of_a_new_server(demo, given, fields):
    uuid, password = booted(demo, **fields)
    assert given[uuid] == [fields.get('adminPass', password)] == [password]


@pytest.mark.parametrize('asked', [{'adminPass': 'chosen-2'}, {}])
def test_of_a_rebuild_and_of_a_rescue(demo, given, asked):
    uuid, _ = booted(demo)
    rebuilt = demo.act(uuid, 'rebuild', {'imageRef': demo.image, **asked}).json()['server']['adminPass']
    demo.wait(uuid, 'ACTIVE')
    rescued = demo.act(uuid, 'rescue', asked or None).json()['adminPass']
    demo.wait(uuid, 'RESCUE')
    assert given[uuid][1:] == [asked.get('adminPass', rebuilt), asked.get('adminPass', rescued)]
    assert given[uuid][1:] == [rebuilt, rescued]


@pytest.mark.parametrize(('asked', 'version'), [
    ({'onSharedStorage': 'False', 'adminPass': 'chosen-3'}, '2.13'), ({'onSharedStorage': 'False'}, '2.13'),
    ({'adminPass': 'chosen-3'}, '2.96'), ({'onSharedStorage': 'True'}, '2.13')])
def test_of_an_evacuation(demo, admin, given, asked, version):
    """Disks that are shared keep theirs; from 2.14 on nothing is answered."""
    uuid, _ = booted(demo)
    with dead(admin, host_of(admin, uuid)):
        answer = evacuate(admin, uuid, asked, version)
        assert answer.status_code == 200, answer.text
        until(lambda: len(given[uuid]) == 2, 20, told=lambda: given[uuid])
        demo.wait(uuid, 'SHUTOFF' if version == '2.96' else 'ACTIVE')
    if version == '2.96':
        assert not answer.content and given[uuid][1] == 'chosen-3'
        return
    password = answer.json()['adminPass']
    assert given[uuid][1] == password
    assert (password is None) == (asked['onSharedStorage'] == 'True')
    assert password == asked.get('adminPass', password)
