"""Runs HTTP conversations written in YAML: what an operator would type, and what must come back.

A file is a mapping::

    about: what the conversation shows
    service: placement             # named in the OpenStack-API-Version header
    version: "1.20"                # microversion of steps that do not say otherwise
    headers: {X-Auth-Token: admin} # sent with every step
    variables: {host: uuid, name: rack-1}   # "uuid" makes a new one
    steps:
    - name: create a provider
      request: POST /resource_providers
      version: "1.19"              # or versions: {"1.13": 404, "1.14": 200}, the status by microversion
      headers: {X-Roles: reader}
      body: {name: "${name}", uuid: "${host}"}      # JSON; or data: raw text
      status: 201
      answers: {location: "~/resource_providers/"}  # response headers
      json: {"links.0.rel": self, "generation": 0}
      store: {generation: generation}               # variable: path

A path is dotted, list elements by number, keys with dots in quotes are not needed by any API of ours; the empty
path is the whole document. ``#`` at its end is a length. Expected values: a text that starts with ``~`` is a
regular expression to be found, ``<any>`` is anything, ``<absent>`` nothing; a list or mapping must be equal.
``${name}`` is replaced everywhere; a text that is nothing else takes the variable's type.
"""

import dataclasses
import pathlib
import re
import uuid
from collections.abc import Callable
from typing import Any, Protocol

import yaml

_ABSENT = object()
_STEP_KEYS = frozenset({'name', 'request', 'version', 'versions', 'headers', 'body', 'data', 'status',
                        'answers', 'json', 'store'})


class Answer(Protocol):
    """What the runner needs of a response."""

    @property
    def status_code(self) -> int: ...
    @property
    def headers(self) -> Any: ...
    @property
    def text(self) -> str: ...
    def json(self) -> Any: ...


Send = Callable[[str, str, dict[str, str], Any, str | None], Answer]
"""``send(method, url, headers, json_body, raw_body)``."""


@dataclasses.dataclass
class Conversation:
    """A file, and the variables that grow while it runs."""

    file: pathlib.Path
    document: dict[str, Any]
    variables: dict[str, Any]


def load(file: pathlib.Path, variables: dict[str, Any] | None = None) -> Conversation:
    """Read a conversation.

    Args:
        variables: come before those that the file declares.
    """
    document = yaml.safe_load(file.read_text())
    declared = {name: str(uuid.uuid4()) if value == 'uuid' else value
                for name, value in document.get('variables', {}).items()}
    for step in document['steps']:
        unknown = step.keys() - _STEP_KEYS
        assert not unknown, f'{file.name}: {step.get("name")}: unknown keys {sorted(unknown)}'
    return Conversation(file, document, {**(variables or {}), **declared})


def run(conversation: Conversation, send: Send) -> None:
    """Play every step; an AssertionError names the step that went otherwise."""
    for number, step in enumerate(conversation.document['steps'], 1):
        where = f'{conversation.file.name} step {number} ({step.get("name", step["request"])})'
        by_version = step.get('versions')
        if by_version is None:
            version = step.get('version', conversation.document.get('version'))
            _play(conversation, step, version, step.get('status', 200), where, send)
            continue
        for version, status in by_version.items():
            _play(conversation, step, version, status, f'{where} at {version}', send)


def _play(conversation: Conversation, step: dict[str, Any], version: str | None, status: int, where: str,
          send: Send) -> None:
    document = conversation.document
    filled = fill({key: value for key, value in step.items() if key != 'store'}, conversation.variables)
    headers = fill({**document.get('headers', {}), **step.get('headers', {})}, conversation.variables)
    if version is not None:
        headers['OpenStack-API-Version'] = f'{document["service"]} {version}'
    method, _, url = filled['request'].partition(' ')
    headers = {name: str(value) for name, value in headers.items() if value is not None}
    answer = send(method, url, headers, filled.get('body'), filled.get('data'))
    assert answer.status_code == status, (
        f'{where}: expected {status}, got {answer.status_code}: {answer.text[:1000]}')
    for name, expected in filled.get('answers', {}).items():
        got = {key.lower(): value for key, value in answer.headers.items()}.get(name.lower(), _ABSENT)
        _compare(f'{where}: header {name}', got, expected)
    if 'json' in step or 'store' in step:
        body = answer.json()
        for path, expected in filled.get('json', {}).items():
            _compare(f'{where}: {path or "document"}', look(body, path), expected)
        for name, path in step.get('store', {}).items():
            conversation.variables[name] = look(body, fill(path, conversation.variables))
            assert conversation.variables[name] is not _ABSENT, f'{where}: nothing at {path}'


def fill(value: Any, variables: dict[str, Any]) -> Any:
    """Replace ``${name}`` in texts, keys included."""
    match value:
        case str():
            whole = re.fullmatch(r'\$\{(\w+)\}', value)
            if whole:
                return variables[whole[1]]
            return re.sub(r'\$\{(\w+)\}', lambda found: str(variables[found[1]]), value)
        case dict():
            return {fill(key, variables): fill(item, variables) for key, item in value.items()}
        case list():
            return [fill(item, variables) for item in value]
    return value


def look(document: Any, path: str) -> Any:
    """What is at a path, or the absent marker."""
    value = document
    for key in filter(None, path.split('.')):
        if key == '#' and isinstance(value, (list, dict)):
            value = len(value)
        elif isinstance(value, list) and key.lstrip('-').isdigit() and -len(value) <= int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return _ABSENT
    return value


def _compare(where: str, got: Any, expected: Any) -> None:
    if expected == '<absent>':
        assert got is _ABSENT, f'{where}: expected nothing, got {got!r}'
        return
    assert got is not _ABSENT, f'{where}: expected {expected!r}, got nothing'
    if expected == '<any>':
        return
    if isinstance(expected, str) and expected.startswith('~'):
        assert re.search(expected[1:], str(got)), f'{where}: expected {expected!r}, got {got!r}'
        return
    assert got == expected, f'{where}: expected {expected!r}, got {got!r}'
