"""The reference of an API as reStructuredText, made from its OpenAPI document."""

from collections.abc import Iterator, Mapping, Sequence

from nova.common.jsonutil import JsonObject

_DEEPEST = 3
"""Levels of keys that are told of."""


def lines(document: JsonObject, under: str = '-') -> Iterator[str]:
    """One section for what begins with the same word, and in it each operation.

    Args:
        under: underlines sections; operations are in bold.
    """
    last = None
    for path, methods in document['paths'].items():
        name = path.split('/')[1]
        if name != last:
            yield from ('', name, under * len(name), '')
            last = name
        for method, operation in methods.items():
            yield from _operation(method.upper(), path, operation)


def _operation(method: str, path: str, operation: JsonObject) -> Iterator[str]:
    yield from (f'**{method} {path}**', '', _indent(f'{operation["summary"]}', 1), '')
    codes = ', '.join(code for code in operation['responses'] if code != 'default')
    yield from (_indent(f'Answers {codes}.', 1), '')
    yield from _facts(operation.get('x-openstack', {}), 1)
    query = {one['name']: one['schema'] for one in operation['parameters'] if one['in'] == 'query'}
    yield from _part('Query', {'properties': query}, 1)
    for kind in _bodies(operation):
        title = kind.get('title')
        if title:
            yield from (_indent(f'Action ``{title}``', 1), '')
            yield from _facts(kind.get('x-openstack', {}), 2)
        yield from _part('Body', kind, 2 if title else 1)
    for code, answer in operation['responses'].items():
        shown = answer.get('content', {}).get('application/json')
        if code != 'default' and shown is not None:
            yield from _part(f'Answer {code}', shown['schema'], 1)


def _facts(facts: JsonObject, level: int) -> Iterator[str]:
    """Since when it is there, until when, and who may."""
    if 'min-ver' in facts:
        until = f', until {facts["max-ver"]}' if 'max-ver' in facts else ''
        yield from (_indent(f'Since {facts["min-ver"]}{until}.', level), '')
    if facts.get('policies'):
        yield from (_indent('Policy: ' + ', '.join(f'``{rule}``' for rule in facts['policies']), level), '')


def _bodies(operation: JsonObject) -> Sequence[JsonObject]:
    """What a body may be: one for each action of the path."""
    if 'requestBody' not in operation:
        return ()
    kind = operation['requestBody']['content']['application/json']['schema']
    bodies: Sequence[JsonObject] = kind.get('oneOf', [kind])
    return bodies


def _part(title: str, kind: JsonObject, level: int) -> Iterator[str]:
    told = list(_keys(kind, level, _DEEPEST))
    if told:
        yield from (_indent(f'{title}:', level), '', *told, '')


def _keys(kind: Mapping[str, object], level: int, deeper: int) -> Iterator[str]:
    """The keys of an object as a list, those of objects inside it beneath them."""
    inner = _object(kind)
    required = inner.get('required', ())
    for name, value in inner.get('properties', {}).items():
        told = [f'``{name}``', f'({_type(value)}{", required" if name in required else ""})',
                _text(value.get('description', ''))]
        yield _indent('* ' + ' '.join(filter(None, told)), level)
        beneath = list(_keys(value, level + 1, deeper - 1)) if deeper > 1 else []
        if beneath:
            yield from ('', *beneath, '')


def _object(kind: Mapping[str, object]) -> JsonObject:
    """The object that a type is, is a list of, or may be."""
    found: JsonObject = dict(kind)
    if 'properties' in found:
        return found
    if isinstance(found.get('items'), Mapping):
        return _object(found['items'])
    for part in found.get('anyOf', ()):
        if 'properties' in (inner := _object(part)):
            return inner
    return {}


def _type(kind: Mapping[str, object]) -> str:
    """What a value is, in a few words."""
    found: JsonObject = dict(kind)
    if 'enum' in found:
        return 'one of ' + ', '.join(f'``{word}``' if word != '' else 'nothing' for word in found['enum'])
    word = found.get('type')
    if isinstance(word, list):
        return ' or '.join(word)
    if word == 'array' and isinstance(found.get('items'), Mapping):
        return f'list of {_type(found["items"])}'
    if word is None:
        return ' or '.join(dict.fromkeys(_type(part) for part in found.get('anyOf', ()))) or 'anything'
    return f'{word}, {found["format"]}' if found.get('format') in ('uuid', 'date-time') else str(word)


def _text(words: str) -> str:
    """Words that reStructuredText takes as they are."""
    return ' '.join(words.replace('\\', '\\\\').replace('*', '\\*').replace('|', '\\|').split())


def _indent(text: str, level: int) -> str:
    return '  ' * level + text
