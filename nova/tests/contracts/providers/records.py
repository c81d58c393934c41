"""Records, as they cross buses and lie in journals."""

from collections.abc import Iterator
from typing import Any

from oslo_versionedobjects import fields as ovo

from nova import ops
from nova.objects import base
from nova.tests.contracts.lock import Contract


def _field(field: Any) -> str:
    kind = type(field).__name__
    if isinstance(field, (ovo.ObjectField, ovo.ListOfObjectsField)):
        kind = f'{kind}[{field.objname}]'
    default = '' if field.default is ovo.UnspecifiedDefault else f' default={field.default!r}'
    return f"{kind}{' nullable' if field.nullable else ''}{default} since={base.field_since(field)}"


def contracts() -> Iterator[Contract]:
    ops.load()
    for kind in base.kinds():
        if not kind.__module__.startswith('nova.tests'):
            yield Contract(
                'record', kind.__name__, kind.VERSION,
                '\n'.join(f'{name}: {_field(field)}' for name, field in sorted(kind.fields.items())),
                "mark new fields with since('next version', ...); a changed or dropped one needs a new name")
