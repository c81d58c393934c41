"""What is required is used: whoever installs the service installs nothing that it never imports."""

import ast
import importlib.metadata
import pathlib
import re

import nova

ROOT = pathlib.Path(nova.__file__).parent
NOT_IMPORTED = {
    'pbr': 'builds the package',
    'psycopg': 'SQLAlchemy loads it by the URL of a database',
    'pymysql': 'SQLAlchemy loads it by the URL of a database',
    'openapi-ui-bundles': 'files that the standalone serves',
}


def normal(name):
    return re.sub(r'[-_.]+', '-', name).lower()


def imported():
    """The top-level modules that product code imports."""
    found = set()
    for path in ROOT.rglob('*.py'):
        if 'tests' in path.relative_to(ROOT).parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition('.')[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition('.')[0])
    return found


def test_every_requirement_is_imported():
    lines = (ROOT.parent / 'requirements.txt').read_text().splitlines()
    wanted = {normal(re.match(r'[\w.-]+', line).group(0)) for line in lines if re.match(r'\w', line)}
    used = imported()
    providers = {normal(dist) for module, dists in importlib.metadata.packages_distributions().items()
                 if module in used for dist in dists}
    assert wanted - providers - set(NOT_IMPORTED) == set()
    assert set(NOT_IMPORTED) <= wanted - providers
