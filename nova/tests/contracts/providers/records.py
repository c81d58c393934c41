"""Records, as they cross buses and lie in journals."""

from collections.abc import Iterator

from nova import ops
from nova.objects import fields, wire
from nova.tests.contracts.lock import Contract

_WORDS = {
    'uuid': 'UUIDField', 'secret': 'SecretField', 'json': 'JsonField', 'text': 'StringField',
    'number': 'IntegerField', 'float': 'FloatField', 'truth': 'BooleanField', 'time': 'TimeField',
    'texts': 'ListOfStringsField', 'text by text': 'DictOfStringsField', 'record': 'ObjectField',
    'records': 'ListOfObjectsField',
}
"""What the file has called the kinds of fields from the start: so a fingerprint is that of the wire form alone,
and stays when a declaration is written in another way."""


def _field(field: fields.Field) -> str:
    kind = _WORDS[field.kind] + (f'[{field.child.__name__}]' if field.child else '')
    default = '' if field.default is fields.MISSING else f' default={field.default!r}'
    return f"{kind}{' nullable' if field.nullable else ''}{default} since={field.since}"


def contracts() -> Iterator[Contract]:
    ops.load()
    for kind in wire.KINDS.values():
        if not kind.__module__.startswith('nova.tests'):
            yield Contract(
                'record', kind.__name__, kind.VERSION,
                '\n'.join(f'{name}: {_field(field)}' for name, field in sorted(kind.fields.items())),
                "mark new fields with since('next version', ...); a changed or dropped one needs a new name")
