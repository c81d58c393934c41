"""A wrong use of every handle, record, client, driver and bus interface that exists, for mypy to refuse."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from types import ModuleType

from nova import clients, ops, rpc
from nova.api import request as api_request
from nova.compute import handle as compute_handle
from nova.conductor import handle as conductor_handle
from nova.objects import wire
from nova.rpc import kernel
from nova.task import handles
from nova.virt import driver, fake

MARK = '  # wrong'
ABSENT = 'nothing_of_this_name'


def _modules(package: ModuleType) -> list[ModuleType]:
    """The package, and the modules in it."""
    found = [importlib.import_module(each.name)
             for each in pkgutil.walk_packages(package.__path__, f'{package.__name__}.')]
    return [package, *found]


def _declared(modules: Iterable[ModuleType]) -> list[type]:
    """The public classes that these modules declare themselves."""
    return sorted({value for module in modules for name, value in vars(module).items()
                   if inspect.isclass(value) and value.__module__ == module.__name__
                   and not name.startswith('_')}, key=_name)


def _name(one: type) -> str:
    return f'{one.__module__}.{one.__qualname__}'


def _alias(one: type) -> str:
    return _name(one).replace('.', '_')


def every_handle() -> list[type]:
    return _declared([handles, api_request, conductor_handle, compute_handle])


def every_record() -> list[type]:
    ops.load()  # the states of flows are records, too
    found = (one for one in wire.KINDS.values() if not one.__module__.startswith('nova.tests.'))
    return sorted(found, key=_name)


def every_client() -> list[type]:
    return _declared(_modules(clients))


def every_driver() -> list[type]:
    return _declared([*_modules(driver), *_modules(fake)])


def every_interface() -> list[type[kernel.Interface]]:
    found = (one for one in _declared(_modules(rpc)) if issubclass(one, kernel.Interface))
    return [one for one in found if one is not kernel.Interface]


def text() -> str:
    """A module of functions that each misuse one class; lines end with `MARK` that mypy has to refuse."""
    kinds = [*every_handle(), *every_client(), *every_driver()]
    records, interfaces = every_record(), every_interface()
    every = list(dict.fromkeys([*kinds, *records, *interfaces]))
    lines = [f'from {one.__module__} import {one.__qualname__} as {_alias(one)}' for one in every]
    lines += ['from nova import context', '', '', 'class Other: ...', '']
    for one in every:
        lines += ['', f'def of_{_alias(one)}(one: {_alias(one)}, ctx: context.RequestContext) -> None:',
                  f'    one.{ABSENT}{MARK}']
        if one in records:
            lines += _of_record(one)
        elif one in interfaces:
            lines += _of_interface(one)
        else:
            lines += _of_methods(one)
    return '\n'.join(lines) + '\n'


def _of_record(one: type) -> Iterator[str]:
    """It has its fields, each takes what its annotation says, and no other is given to it."""
    if one._accepts:  # mypy makes no constructor without one
        yield f'    {_alias(one)}({ABSENT}=1){MARK}'
    for name, field in one._accepts.items():
        yield f'    one.{name}'
        if field.kind != 'json':
            yield f'    one.{name} = Other(){MARK}'


def _of_interface(one: type[kernel.Interface]) -> Iterator[str]:
    """A client sends the record that the method takes, for somebody."""
    for name, method in one.methods.items():
        record = f'{_alias(method.takes)}.part()'
        yield f'    one.{name}(ctx, {record})'
        yield f'    one.{name}({record}){MARK}'
        yield f'    one.{name}(ctx, Other()){MARK}'


def _of_methods(one: type) -> Iterator[str]:
    """Its methods are there, and take what they declare."""
    for name, member in inspect.getmembers(one, inspect.isfunction):
        if name.startswith('_') or any(each.kind is each.VAR_KEYWORD
                                       for each in inspect.signature(member).parameters.values()):
            continue
        yield f'    one.{name}'
        yield f'    one.{name}({ABSENT}=1){MARK}'
