"""Where configuration is read from."""

import pathlib

import pytest

from nova import clients, conf


@pytest.fixture
def file(tmp_path: pathlib.Path) -> str:
    """nova.conf and a file in nova.conf.d beside it, which has the last word."""
    (tmp_path / 'nova.conf').write_text('[DEFAULT]\nhost = one\nmy_ip = 192.0.2.1\n')
    (tmp_path / 'nova.conf.d').mkdir()
    (tmp_path / 'nova.conf.d' / 'more.conf').write_text('[DEFAULT]\nhost = two\n')
    return str(tmp_path / 'nova.conf')


def test_the_folder_beside_a_file_that_is_named(file: str) -> None:
    for found in (conf.new(config_files=[file]), conf.new(['--config-file', file]),
                  conf.new([f'--config-file={file}'])):
        assert (found.host, found.my_ip) == ('two', '192.0.2.1')
    assert conf.new(config_files=[]).my_ip != '192.0.2.1'


def test_what_the_command_line_says_last_counts(file: str, tmp_path: pathlib.Path) -> None:
    last = tmp_path / 'last.conf'
    last.write_text('[DEFAULT]\nhost = three\n')
    assert conf.new(['--config-file', file, '--config-file', str(last)]).host == 'three'


@pytest.mark.parametrize(('text', 'region'), [
    ('region_name = north', 'north'), ('os_region_name = south', 'south'),
    ('region_name = north\nos_region_name = south', 'south'), ('', None)])
def test_the_region_of_cinder(tmp_path: pathlib.Path, text: str, region: str | None) -> None:
    """Its own word, and that of every other section."""
    named = tmp_path / 'nova.conf'
    named.write_text(f'[cinder]\n{text}\n')
    assert clients.volume_endpoint(conf.new(config_files=[str(named)]))['region_name'] == region
