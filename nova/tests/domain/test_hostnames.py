"""Host names and display names."""

import pytest

from nova.domain import hostnames

UUID = 'c9f3b1f6-5b8e-4b6b-9d3a-0f2f4bb3a111'


@pytest.mark.parametrize(('name', 'label'), [
    ('web', 'web'), ('My Server', 'my-server'), ('a_b.c', 'a-b-c'), ('-x-', 'x'), ('Größe', 'groe'),
])
def test_label(name, label):
    assert hostnames.label(name) == label


def test_label_is_never_longer_than_dns_allows_nor_ends_in_a_dash():
    assert len(hostnames.label('a' * 100)) == 63
    assert hostnames.label('a' * 62 + '-b') == 'a' * 62


def test_a_name_without_usable_characters_becomes_the_uuid():
    assert hostnames.hostname('日本', UUID) == f'server-{UUID}'
    assert hostnames.hostname('日本', UUID, 1) == f'server-{UUID}'


def test_several_servers_are_numbered_and_keep_the_number_when_cut():
    assert hostnames.hostname('web', UUID, 0) == 'web-1'
    assert hostnames.hostname('w' * 80, UUID, 9) == 'w' * 60 + '-10'
    assert hostnames.display_name('web', 1) == 'web-2'
    assert hostnames.display_name('web') == 'web'
