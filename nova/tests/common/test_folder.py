"""What the modules of a folder declare."""

import sys

import pytest

from nova.common import folder


@pytest.fixture
def package(tmp_path, monkeypatch):
    made = tmp_path / 'shapes_of_test'
    (made / 'deep').mkdir(parents=True)
    (made / '__init__.py').write_text('class Shape: ...\n')
    (made / '_base.py').write_text('from shapes_of_test import Shape\nclass Hidden(Shape): ...\n')
    (made / 'round.py').write_text(
        'from shapes_of_test import Shape\nclass _Curved(Shape): ...\nclass Ring(_Curved): ...\n'
        'class Ball(_Curved): ...\nclass Other: ...\n')
    (made / 'angled.py').write_text('from shapes_of_test.round import Ball\nclass Box(Ball): ...\n')
    (made / 'deep' / '__init__.py').write_text('')
    (made / 'deep' / 'sea.py').write_text('')
    monkeypatch.syspath_prepend(str(tmp_path))
    import shapes_of_test
    yield shapes_of_test
    for name in [name for name in sys.modules if name.startswith('shapes_of_test')]:
        del sys.modules[name]


def test_modules_of_a_folder(package):
    assert [one.__name__ for one in folder.modules('shapes_of_test')] == [
        'shapes_of_test.angled', 'shapes_of_test.deep', 'shapes_of_test.round']
    assert [one.__name__ for one in folder.modules('shapes_of_test', deep=True)] == [
        'shapes_of_test.angled', 'shapes_of_test.deep.sea', 'shapes_of_test.round']


def test_a_module_declares_what_it_does_not_import(package):
    found = folder.declared(folder.modules('shapes_of_test'), package.Shape)
    assert [one.__name__ for one in found] == ['Box', 'Ball', 'Ring']
