"""Databases of a process, cells' URL templates, asking several at once."""

import threading
import types

import pytest

from nova import conf as nova_conf
from nova import errors
from nova.common import clock
from nova.db import scatter, session

OWN = 'mysql+pymysql://nova:pa%40ss@db1:3306/nova?charset=utf8'


@pytest.mark.parametrize(('url', 'filled'), [
    ('sqlite:///x', 'sqlite:///x'),
    ('{scheme}://{username}:{password}@db2:{port}/cell2?{query}', 'mysql+pymysql://nova:pa%40ss@db2:3306/cell2?charset=utf8'),
    ('{scheme}://{username}:{password}@{hostname}/{path}_cell0', 'mysql+pymysql://nova:pa%40ss@db1/nova_cell0'),
])
def test_templates_of_cell_urls(url, filled):
    assert session.fill_template(url, OWN) == filled


@pytest.mark.parametrize(('url', 'own'), [('{scheme}://x/y', None), ('{colour}://x/y', OWN)])
def test_templates_that_cannot_be_filled_name_no_url(url, own):
    with pytest.raises(errors.Invalid) as caught:
        session.fill_template(url, own)
    assert 'pa' not in caught.value.message.split() and 'x/y' not in caught.value.message


def test_a_database_is_opened_once(tmp_path):
    dbs = session.Databases(nova_conf.new(config_files=[], **{
        'database.connection': f'sqlite:///{tmp_path}/own'}))
    assert dbs.main is dbs.main is dbs.cell(f'sqlite:///{tmp_path}/own')
    assert dbs.cell(f'sqlite:///{tmp_path}/other') is not dbs.main
    with pytest.raises(errors.Unavailable, match='api_database'):
        dbs.api  # noqa: B018  CEL-S3: a cell's process has no API database
    dbs.dispose()


def test_the_slow_are_left_out_and_do_not_delay_others():
    """LST-F1: what is late opens the breaker; a question without time left does not."""
    asked, gate = [], threading.Event()
    cells = scatter.Scatter(probe_after=60)
    questions = {'near': lambda: 'here', 'far': lambda: (asked.append(1), gate.wait(20))}
    probes = dict.fromkeys(questions, lambda: None)
    answers = cells.ask(questions, probes, clock.Deadline(0.2))
    assert answers.got == {'near': 'here'} and answers.down == {'far': 'it did not answer in time'}
    start = clock.monotonic()
    assert 'far' in cells.ask(questions, probes, clock.Deadline(5)).down
    assert clock.monotonic() - start < 2 and asked == [1]
    gate.set()
    hang = {'near': lambda: gate.wait(0.01) and threading.Event().wait(0.05)}
    cells.ask(hang, probes, clock.Deadline(0))
    assert cells.ask({'near': lambda: 1}, probes, clock.Deadline(5)).got == {'near': 1}
    cells.close()


def test_once_half_have_answered_the_others_have_a_part_of_the_time():
    """LST-F1: a page over one hung cell of ten takes as long as the others, and that patience."""
    cells, hung = scatter.Scatter(probe_after=60), threading.Event()
    questions = {'slow': lambda: threading.Event().wait(0.2), 'hung': lambda: hung.wait(60),
                 **{f'quick {number}': lambda: True for number in range(3)}}
    began = clock.monotonic()
    found = cells.ask(questions, dict.fromkeys(questions, bool), clock.Deadline(50), patience=3)
    assert set(found.down) == {'hung'} and len(found.got) == 4
    assert 3 <= clock.monotonic() - began < 45
    hung.set()
    cells.close()


def test_a_probe_has_a_thread_of_its_own():
    """A cell whose questions all hang is found again when it answers."""
    gate, back = threading.Event(), threading.Event()
    cells = scatter.Scatter(probe_after=0)
    for _ in range(10):
        cells.ask({'a': lambda: gate.wait(20)}, {'a': back.set}, clock.Deadline(0.01))
    cells.ask({'a': lambda: 1}, {'a': back.set}, clock.Deadline(1))
    assert back.wait(5)
    gate.set()
    cells.close()


def test_a_cell_that_moves_gets_another_chance(tmp_path):
    """What was found out about a cell is about the database that it had."""
    dbs = session.Databases(nova_conf.new(config_files=[]))
    cell = types.SimpleNamespace(uuid='u', name='cell1', database_connection='sqlite:////nonexistent/x')
    for _ in range(2):
        answers = dbs.ask({'u': lambda db: db.ping()}, {'u': cell}, clock.Deadline(5))
        assert answers.down and not answers.failed
    cell.database_connection = f'sqlite:///{tmp_path}/new'
    assert dbs.ask({'u': lambda db: db.dialect}, {'u': cell}, clock.Deadline(5)).got == {'u': 'sqlite'}
    dbs.dispose()


def test_mistakes_of_ours_are_no_outage():
    cells = scatter.Scatter(probe_after=60)
    for _ in range(2):
        answers = cells.ask({'a': lambda: 1 / 0}, {'a': lambda: None}, clock.Deadline(5))
        assert isinstance(answers.failed['a'], ZeroDivisionError) and not answers.down
    cells.close()
