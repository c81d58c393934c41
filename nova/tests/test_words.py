"""The words of the glossary, and those that it has replaced."""

import pathlib
import re

import nova

ROOT = pathlib.Path(nova.__file__).parent
PAGES = ROOT.parent / 'doc' / 'source'
TERM = re.compile(r'^([a-z][\w, -]*)\n    \S', re.MULTILINE)
REPLACED = re.compile(
    r'\b(plant|planted|uproot\w*|bury|buries|buried|reaper|reap|nurse|hatch\w*)\b', re.IGNORECASE)
"""Pictures: create and purge, cell0, the keeper, the end of a task are their nouns."""


def _written() -> list[pathlib.Path]:
    return [path for path in (*ROOT.rglob('*.py'), *PAGES.rglob('*.rst'))
            if 'tests' not in path.relative_to(ROOT.parent).parts]


def test_what_the_field_has_a_noun_for_is_called_so():
    found = [(str(path.relative_to(ROOT.parent)), match[0]) for path in _written()
             for match in REPLACED.finditer(path.read_text())]
    assert found == []


def test_what_the_glossary_names_is_there():
    """About forty words, each of them in use."""
    terms = [word for line in TERM.findall((PAGES / 'contributor' / 'glossary.rst').read_text())
             for word in line.split(', ')]
    assert len(terms) >= 40 and len(terms) == len(set(terms))
    text = ' '.join(path.read_text().lower() for path in _written() if path.name != 'glossary.rst')
    assert [term for term in terms if not re.search(rf'\b{term.rstrip("e")}', text)] == []
