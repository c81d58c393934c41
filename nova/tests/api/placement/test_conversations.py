"""Every conversation of this folder, against a Placement with an empty database."""

import pathlib

import pytest

from nova.tests.api import runner
from nova.tests.fixtures import databases, placement

FILES = sorted(pathlib.Path(__file__).parent.glob('*.yaml'))


@pytest.mark.parametrize('file', FILES, ids=[file.stem for file in FILES])
def test_conversation(file: pathlib.Path, lend: databases.Lend) -> None:
    app, db = placement.make_app(lend('placement'))
    runner.run(runner.load(file), placement.sender(app))
    db.dispose()
