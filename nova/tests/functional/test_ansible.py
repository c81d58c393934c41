"""Ansible's own modules for OpenStack against a standalone cloud: ``slow``, since they are large."""

import pytest

from nova.tests.fixtures.ansible import Ansible

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_play_is_run_twice_and_taken_back(cloud, tmp_path, demo, admin):
    Ansible(cloud.clouds_file, tmp_path).play_twice_and_take_back()
    assert demo.get('/servers')['servers'] == []
    assert 'ansible.small' not in [one['name'] for one in admin.get('/flavors')['flavors']]
