"""Users' regular expressions: what is taken means the same in Python and in every database."""

import random
import re
import time

import pytest
import sqlalchemy as sa

from nova import errors
from nova.common import dbkit, expressions
from nova.db import types
from nova.db.cell import instances
from nova.tests.fixtures import databases

TAKEN = [
    'web', '^web', 'web$', '^$', '', 'w.b', 'w.*b', 'a|b', 'a||b', '(a|b)+c', '(?:ab)*', '(?P<x>a)b', 'a{2}',
    'a{2,}', 'a{1,2}', 'a{,2}', 'a{0,255}', 'a+?', 'a*?b', '[abc]', '[^abc]', '[a-c1-3]', '[]a]', '[^]a]',
    '[a-]',
    r'[\d_-]', r'\d+', r'\D', r'\w\s\W\S', r'\.', r'a\-b', r'\u0041', r'\x41', r'\U0001f600', r'\t', '\u00e9',
    '\U0001f600', '[\u00e0-\u00ff]', 'a{', 'a{x}', '}', ']', 'a"\'%b', '::', '(a+)+$', '((a|b)*c)*', '(^a|b$)',
    r'[^\W\d]', r'[\d\D]', '#', '&&', '~', '_', '/', '@', '<', '>', '=', '!', ',', ';', '`', '-', ' ',
]
REFUSED = [
    '(?a)a', '(?i)a', 'a{0,70000}', 'a{256}', '(?=a)', '(?<!a)b', r'(a)\1', '(?P=x)', '(?#x)', '(?>a)', 'a++',
    'a**', '*a', '+', '?', '(', ')', '[', '[a', 'a|*', r'\b', r'\A', r'\Z', r'\Q', r'\p{L}', r'\0', r'\ud800',
    r'\U00110000', '\\', '[z-a]', r'[\d-z]', '[[:alpha:]]', '^*', 'a{3,2}', '(a{255}){255}', 'x' * 1001,
    '(' * 500 + ')' * 500, '{2}a', r'\x00',
]
TEXTS = ['', 'a', 'b', 'ab', 'aab', 'web', 'web1', 'A web', 'WEB', 'x.y', 'a-b', '1', '42', ' ', 'a b', 'a\tb',
         '\u00e9', '\u0661', '\U0001f600', '}', ']', 'a{', 'a{x}', '^', '$', '\\', 'a"\'%b', '-', 'c', 'ac',
         'abc', '::1', 'aaa', '_', '#', '&&', '~', '/', '@', '<', '>', '=', '!', ',',
         ';', '`', 'a|b', '(a)', 'a' * 60]


@pytest.fixture
def db(kind, tmp_path_factory):
    with databases.database_url(kind, tmp_path_factory) as url:
        opened = dbkit.Database(url)
        table = sa.Table('t', sa.MetaData(), sa.Column('x', types.string(255), primary_key=True))
        table.create(opened.engine)
        opened.write(lambda conn: conn.execute(table.insert(), [{'x': text} for text in TEXTS]))
        yield lambda expression: _found(opened, table, expression)
        opened.dispose()


def _found(db, table, expression):
    with db.read() as conn:
        return set(conn.execute(sa.select(table.c.x).where(
            table.c.x.regexp_match(sa.literal(expression, types.Expression())))).scalars())


def in_python(expression):
    return {text for text in TEXTS if expressions.read(expression).search(text)}


def test_databases_agree_with_python(db):
    """LST-S1."""
    for expression in TAKEN:
        assert db(expression) == in_python(expression), expression


def test_databases_agree_on_whatever_is_taken(db):
    """Expressions put together by chance: each is refused, or means the same."""
    dice = random.Random(5)
    pieces = ['a', 'b', '.', '^', '$', '|', '(', ')', '(?:', '[', ']', '^', '-', '*', '+', '?', '{2}', '{1,}',
              '{,3}',
              '\\d', '\\W', '\\.', '\\', 'e', '\u00e9', '\U0001f600', ' ', '[^', '[a-c]', '{', '}', ',', '1']
    taken = 0
    for _ in range(1500):
        expression = ''.join(dice.choices(pieces, k=dice.randint(1, 9)))
        try:
            wanted = in_python(expression)
        except expressions.Wrong:
            continue
        taken += 1
        assert db(expression) == wanted, expression
    assert taken > 200


def test_it_is_what_python_finds():
    for expression in TAKEN:
        if expression not in ('[]a]', '[^]a]', '&&', '[\\d\\D]'):
            mine, pythons = in_python(expression), {
                text for text in TEXTS if re.search(expression, text, re.ASCII)}
            assert mine == pythons, expression


@pytest.mark.parametrize('expression', REFUSED)
def test_what_not_all_understand_is_refused(expression):
    with pytest.raises(expressions.Wrong):
        expressions.read(expression)
    with pytest.raises(errors.Invalid, match='regular expression'):
        instances.conditions({'display_name': expression})


def test_no_text_takes_it_long():
    start = time.process_time()
    for expression in ('(a+)+$', '(a|aa)+$', 'a*a*a*a*a*b', '(a*)*b', '(.*)*x'):
        assert not expressions.read(expression).search('a' * 254 + '!')
    assert time.process_time() - start < 2
