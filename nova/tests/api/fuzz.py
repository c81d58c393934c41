"""Requests made from the API's own description: mostly what it asks for, with something odd in most of them."""

import json
import random
from typing import Any
from urllib import parse

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2 ** 31, 2 ** 63, 10 ** 30, 1.5, float('inf'), float('nan'), '', ' ', '0',
    '-1', 'None', 'true', '1.5', '\u0663', '\xb2', '9' * 5000, 'x' * 256, 'x' * 70000, '\x00', '\ud800',
    '\U0001f600', 'a/b', '../..', "' OR 1=1 --", '%', '*', '[', '(', '2020-13-45', '9999-12-31T23:59:59+14:00',
    '0000-01-01', '::1', '1.2.3.4/33', [], {}, [[]], [None], {'': None}, {'\x00': '\ud800'}, ['x'] * 2000,
    2 ** 31 - 1, -2 ** 31, 2 ** 63 - 1, -2 ** 63, 1e308, 'name ', ' name', 'NAME', 'n\u0301ame', '\u00e9',
    'e\u0301', '\u202e', '\ufeff', '\u2028', '\ufffd', '\ufffe', '\x7f', '\t', '\r\n', 'http://[',
    'http://host/v2/images/x/', '//x', '(?a)a', '(?i)a', 'a{0,70000}', '(a+)+$', '[[:alpha:]]', '\\u0041', '\\',
    '%00', '%ff', '{}', '$(x)', '{0.x}', 'x' * 255, '\U0001f600' * 255, '\u00e9' * 60, '::ffff:1.2.3.4',
    '01.2.3.4', 'fe80::1%eth0', '2026-01-01T00:00:00')
KEYS = (
    'key', 'key ', 'key  ', ' key', 'KEY', 'Key', 'k', 'k_e-y.1:2', 'hw:cpu_policy', 'availability_zone',
    'availability_zone ', 'k\u00e9y', 'ke\u0301y', '\U0001f600', 'key\t', '', 'x' * 255, 'x' * 256, '\ud800',
    '\x00')
"""Keys of metadata and the like: some of them are the same to careless databases."""
STRINGS = {
    'uuid': '2f0f1c5e-5fd8-4d4d-93a6-9c1c7f2d9a51', 'date-time': '2026-01-02T03:04:05Z', 'ip': '192.0.2.7',
    'ipv4': '192.0.2.7', 'ipv6': '2001:db8::7', 'base64': 'aGVsbG8=', 'regex': '^a.*', 'slash-prefix': '/24',
    'dev-path': '/dev/vdb', 'decimal': '1.5'}


class Fuzz:
    """Makes requests.

    Args:
        seed: of the random numbers: the same requests again.
        known: names and ids of things that exist, to be mixed in.
        likely: what the members of these names mostly are, so that enough requests get beyond their checks.
    """

    def __init__(self, seed: int, known: list[str], likely: dict[str, Any]) -> None:
        self.chance = random.Random(seed)
        self._known, self._likely = known, likely

    def request(self, path: str, method: str, operation: dict[str, Any]) -> dict[str, Any]:
        """Keyword arguments of a falcon test client's request: method, path, query_string, body, headers."""
        parameters = operation.get('parameters', [])
        for one in parameters:
            if one['in'] == 'path':
                path = path.replace(f'{{{one["name"]}}}', self._segment())
        query = [(one['name'], self._word(one['schema'])) for one in parameters
                 if one['in'] == 'query' and self.chance.random() < 3 / (len(parameters) + 1)]
        if query and self.chance.random() < 0.1:
            query.append((query[0][0], self.chance.choice([query[0][1], self._odd_text()])))
        if self.chance.random() < 0.1:
            query.append((self._odd_text(), self._odd_text()))
        made: dict[str, Any] = {
            'method': method.upper(), 'path': path,
            'query_string': '&'.join(f'{_quote(name)}={_quote(value)}' for name, value in query)}
        if 'requestBody' in operation:
            made['body'] = self._body(operation['requestBody']['content']['application/json']['schema'])
            made['headers'] = {'Content-Type': 'application/json'}
        return made

    def _segment(self) -> str:
        if self.chance.random() < 0.75:
            return _quote(self.chance.choice(self._known))
        return _quote(self._odd_text()) or 'x'

    def _odd_text(self) -> str:
        value = self.chance.choice([odd for odd in ODD if not isinstance(odd, (list, dict))])
        return str(value)[:3000]

    def _word(self, schema: dict[str, Any]) -> str:
        if self.chance.random() < 0.35:
            return self._odd_text()
        value = self.value(schema.get('items', schema))
        return value if isinstance(value, str) else json.dumps(value)

    def _body(self, schema: dict[str, Any]) -> bytes:
        kind = self.chance.random()
        if kind < 0.04:
            return self.chance.choice([b'', b'{', b'null', b'[]', b'"x"', b'\xff\xfe', b'{"a": 1, "a": 2}',
                                       b'[' * 5000, b'{"server":' * 3000, b'1e999', b'NaN'])
        value = self.value(schema)
        if kind < 0.6:
            value = self._spoil(value)
        return json.dumps(value).encode()

    def _spoil(self, value: Any) -> Any:
        """The same document with one place of it replaced, dropped or added."""
        if isinstance(value, dict) and value and self.chance.random() < 0.9:
            key = self.chance.choice(list(value))
            kind = self.chance.random()
            if kind < 0.08:
                return {name: item for name, item in value.items() if name != key}
            if kind < 0.14:
                return {**value, self._odd_text(): self.chance.choice(ODD)}
            return {**value, key: self._spoil(value[key])}
        if isinstance(value, list) and value and self.chance.random() < 0.9:
            place = self.chance.randrange(len(value))
            return [self._spoil(item) if at == place else item for at, item in enumerate(value)]
        return self.chance.choice(ODD)

    def value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        """Something that fits the schema, give or take its formats."""
        for word in ('oneOf', 'anyOf'):
            if word in schema:
                return self.value(self.chance.choice(schema[word]), depth)
        if 'enum' in schema:
            return self.chance.choice(schema['enum'])
        kind = schema.get('type')
        kind = self.chance.choice(kind) if isinstance(kind, list) else kind
        if kind == 'object' or 'properties' in schema:
            return self._object(schema, depth)
        if kind == 'array':
            most = min(schema.get('maxItems', 3), 3)
            made = [self.value(schema.get('items', {}), depth + 1)
                    for _ in range(self.chance.randint(min(schema.get('minItems', 0), most), most))]
            return self._twins(made) if made and len(made) < most and self.chance.random() < 0.3 else made
        if kind in ('integer', 'number'):
            return self.chance.choice([schema.get('minimum', 0), schema.get('maximum', 2), 1])
        if kind in ('boolean', 'null'):
            return True if kind == 'boolean' else None
        return self._string(schema) if kind else self.chance.choice(ODD)

    def _twins(self, items: list[Any]) -> list[Any]:
        """The same once more, or what is nearly the same."""
        one = items[-1]
        near = self.chance.choice([one, f'{one} ', one.upper(), one.lower()]) if isinstance(one, str) else one
        return [*items, near]

    def _string(self, schema: dict[str, Any]) -> str:
        if self.chance.random() < 0.5 and schema.get('format') in STRINGS:
            return STRINGS[schema['format']]
        if self.chance.random() < 0.4:
            return self.chance.choice(self._known)
        return 'x' * self.chance.choice([schema.get('minLength', 1), min(schema.get('maxLength', 8), 70000), 4])

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        needed = schema.get('required', [])
        few = 4 / (len(schema.get('properties', {})) + 1)
        made = {name: self._member(name, sub, depth + 1) for name, sub in schema.get('properties', {}).items()
                if name in needed or self.chance.random() < few}
        for sub in schema.get('patternProperties', {}).values():
            keys = KEYS[:10] if self.chance.random() < 0.8 else KEYS
            made.update({key: self.value(sub, depth + 1)
                         for key in self.chance.sample(keys, self.chance.randint(1, 4))})
        return made

    def _member(self, name: str, schema: dict[str, Any], depth: int) -> Any:
        if name in self._likely and self.chance.random() < 0.9:
            return self._likely[name]
        return self.value(schema, depth)


def _quote(text: str) -> str:
    return parse.quote(text.encode('utf-8', 'surrogatepass'), safe='')
