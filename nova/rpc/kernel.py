"""RPC interfaces as declarations.

    class ComputeHost(Interface):
        topic = 'compute'
        run_step = cast(StepCall)
        cancel_step = cast(StepRef, since='1.1')

From this follow the client (`ComputeHost.client(bus, host).run_step(context, call)`), the server with exactly
these methods exposed, the interface's version (the highest `since`), the refusal to send what a pinned server
does not know, and the down-conversion of records to what it does know (`levels`).

A method takes one record and returns one or nothing. Errors of our tree cross the bus as themselves; anything
else becomes `Internal` and is logged where it happened.
"""

import dataclasses
import functools
import logging
import re
from collections.abc import Callable, Mapping
from typing import ClassVar, Generic, Literal, Self, TypeVar, overload

import oslo_messaging
from oslo_config import cfg

from nova import context as nova_context
from nova import errors, release
from nova.common import clock, metrics, problem, threads
from nova.common.jsonutil import JsonObject
from nova.objects import base
from nova.rpc import listening, transport

LOG = logging.getLogger(__name__)

Kind = Literal['call', 'cast', 'fanout']
T = TypeVar('T', bound=base.Record)
R = TypeVar('R', covariant=True)
Answer = TypeVar('Answer', bound=base.Record)

Speaks = Callable[[], release.Release]
"""The oldest release among those who may take what is sent."""

@dataclasses.dataclass(frozen=True)
class Method(Generic[T, R]):
    """One declared method. A client of its interface has it as a function ``(context, record) -> answer``.

    Attributes:
        since: first version of the interface that has it.
        timeout: seconds a call waits; None is ``rpc_response_timeout``, ``long`` is ``long_rpc_timeout`` with
            signs of life every ``rpc_response_timeout``.
        keep: seconds for which a cast is tried again while the broker is away.
        silence: seconds without a sign of life after which a call is given up, other than
            ``rpc_response_timeout``; servers give one every half of it.
        tries: how often a call is sent when its server fell silent; more than once only what may run twice.
    """

    kind: Kind
    takes: type[T]
    returns: type[base.Record] | None = None
    since: str = '1.0'
    timeout: float | Literal['long'] | None = None
    keep: float = 0.0
    silence: float | None = None
    tries: int = 1
    name: str = ''

    def __set_name__(self, owner: type['Interface'], name: str) -> None:
        object.__setattr__(self, 'name', name)

    @overload
    def __get__(self, client: None, owner: type['Interface']) -> Self: ...

    @overload
    def __get__(self, client: 'Interface', owner: type['Interface']
                ) -> Callable[[nova_context.RequestContext, T], R]: ...

    def __get__(self, client: 'Interface | None', owner: type['Interface']) -> object:
        return self if client is None else functools.partial(client.send, self)


def cast(takes: type[T], *, since: str = '1.0', keep: float = 0.0) -> Method[T, None]:
    """Sent to one server; nobody waits."""
    return Method('cast', takes, since=since, keep=keep)


def fanout(takes: type[T], *, since: str = '1.0') -> Method[T, None]:
    """Sent to every server that is there; nobody waits."""
    return Method('fanout', takes, since=since)


@overload
def call(takes: type[T], *, returns: type[Answer], since: str = '1.0',
         timeout: float | Literal['long'] | None = None, silence: float | None = None, tries: int = 1
         ) -> Method[T, Answer]: ...


@overload
def call(takes: type[T], *, since: str = '1.0', timeout: float | Literal['long'] | None = None,
         silence: float | None = None, tries: int = 1) -> Method[T, None]: ...


def call(takes: type[T], *, returns: type[base.Record] | None = None, since: str = '1.0',
         timeout: float | Literal['long'] | None = None, silence: float | None = None, tries: int = 1
         ) -> Method[T, base.Record | None]:
    """Sent to one server, which answers."""
    return Method('call', takes, returns, since, timeout, silence=silence, tries=tries)


def version_of(text: str) -> tuple[int, int]:
    """``'1.4'`` as ``(1, 4)``.

    Raises:
        errors.Invalid: not such a number.
    """
    if not re.fullmatch(r'\d+\.\d+', text):
        raise errors.Invalid(f'{text!r} is not an interface version like 1.0')
    major, minor = text.split('.')
    return int(major), int(minor)


class Interface:
    """Base of every interface.

    Attributes:
        topic: its queue.
        levels: which older record versions an older interface version speaks: ``{'1.0': {'StepCall': '1.0'}}``
            is written down when a later version of `StepCall` comes into use. A record that a level does not
            name is there as at the next level.
        records: the version in which a record last changed, where no method came with it.
        alone: each server is only ever addressed by its own name; see `listening.PooledServer`.
    """

    topic: ClassVar[str]
    levels: ClassVar[Mapping[str, Mapping[str, str]]] = {}
    records: ClassVar[str] = '1.0'
    alone: ClassVar[bool] = False
    methods: ClassVar[dict[str, Method]]
    version: ClassVar[str]

    def __init_subclass__(cls) -> None:
        cls.methods = {name: value for name, value in vars(cls).items() if isinstance(value, Method)}
        cls.version = max((cls.records, *(method.since for method in cls.methods.values())), key=version_of)

    def __init__(self, bus: transport.Bus, host: str | None, pin: str | None, speaks: Speaks | None) -> None:
        """See `client`."""
        self._bus, self._host, self._pin, self._speaks = bus, host, pin, speaks
        if pin is not None and version_of(pin)[0] != version_of(self.version)[0]:
            raise errors.Invalid(f'{self.topic} {self.version} cannot be spoken as {pin}')

    def __repr__(self) -> str:
        return f'<client of {self.topic}.{self._host or "*"} on {self._bus.name}>'

    @classmethod
    def records_at(cls, version: str | None) -> dict[str, str] | None:
        """Record versions to send to who speaks `version`; None when everything goes as it is."""
        if version is None or version_of(version) >= version_of(cls.version):
            return None
        known: dict[str, str] = {}
        for level in sorted(cls.levels, key=version_of, reverse=True):
            if version_of(level) >= version_of(version):
                known.update(cls.levels[level])
        return known

    @classmethod
    def client(cls, bus: transport.Bus, host: str | None = None, pin: str | None = None,
               speaks: Speaks | None = None) -> Self:
        """Whose methods send: each declaration is a function ``(context, record) -> answer``.

        Args:
            host: the one server meant; None is any of the topic.
            pin: newest version to speak; None asks ``[upgrade_levels]``, where ``auto`` and unset leave it to
                `speaks`.
            speaks: asked with every message; None means this release.
        """
        if pin is None:
            pin = _configured_pin(bus.conf, cls.topic)
        return cls(bus, host, pin, speaks)

    def spoken(self) -> str:
        """The version that is spoken now."""
        if self._pin is not None:
            return self._pin
        oldest = release.own() if self._speaks is None else self._speaks()
        return oldest.speaks(self.topic, self.version)

    def can(self, name: str) -> bool:
        """Whether whoever may be the server knows this method."""
        return version_of(self.methods[name].since) <= version_of(self.spoken())

    def send(self, method: Method[T, R], context: nova_context.RequestContext, record: T) -> base.Record | None:
        """Send one of the methods; what a call was answered, else nothing."""
        name, spoken = method.name, self.spoken()
        if version_of(method.since) > version_of(spoken):
            raise errors.Unavailable(f'{self.topic}.{name} needs version {method.since}, but {spoken} '
                                     'is spoken here until every service is upgraded.')
        args = {'speaks': spoken, 'record': _wire(record, method.takes, self.records_at(spoken))}
        target = oslo_messaging.Target(topic=self.topic, server=self._host, version=method.since,
                                       fanout=method.kind == 'fanout' or None)
        if method.kind != 'call':
            self._bus.cast(target, context.to_dict(), name, args, method.keep)
            return None
        return self._call(name, method, target, context, args)

    def _call(self, name: str, method: Method, target: oslo_messaging.Target,
              context: nova_context.RequestContext, args: dict) -> base.Record | None:
        conf = self._bus.conf
        timeout, silence = method.timeout, method.silence
        if timeout == 'long':
            timeout, silence = conf.long_rpc_timeout, silence or conf.rpc_response_timeout
        elif timeout is None:
            timeout = conf.rpc_response_timeout
        try:
            answer = _ask(method.tries, lambda: self._bus.call(
                target, context.to_dict(), name, args, timeout, silence))
        except (oslo_messaging.RemoteError, oslo_messaging.RPCDispatcherError) as error:
            kind = getattr(error, 'exc_type', None) or type(error).__name__
            raise errors.Unavailable(f'The server of {self.topic} does not speak {name} of version '
                                     f'{target.version} ({kind}).') from None
        if answer.get('error'):
            raise errors.from_dict(answer['error'])
        return _record(answer.get('record'), method.returns)

    @classmethod
    def server(cls, bus: transport.Bus, host: str, endpoint: object, pool: threads.Pool | None = None
               ) -> listening.Listening:
        """A server named `host`; `endpoint` has a method ``(context, record)`` for each declaration.

        `pool` is shared with other servers when given. Methods that call another server of the same process
        need a pool of their own, or both could wait for each other.
        """
        target = oslo_messaging.Target(topic=cls.topic, server=host)
        return bus.listen(target, _exposed(cls, endpoint), pool, cls.alone)


def _ask(tries: int, call: Callable[[], JsonObject]) -> JsonObject:
    for left in reversed(range(tries)):
        try:
            return call()
        except errors.Unavailable as error:
            if not left:
                raise
            LOG.info('%s Asking again.', error)
    raise AssertionError('a call is sent at least once')


def _configured_pin(conf: cfg.ConfigOpts, topic: str) -> str | None:
    levels = conf.upgrade_levels
    pin = getattr(levels, topic) if topic in levels else None
    return None if pin in (None, '', 'auto') else pin


def _wire(record: object, kind: type[base.Record] | None, versions: dict[str, str] | None) -> dict | None:
    if kind is None:
        if record is not None:
            raise TypeError(f'no record was expected, not {type(record).__name__}')
        return None
    if not isinstance(record, kind):
        raise TypeError(f'expected a {kind.__name__}, not {type(record).__name__}')
    return record.to_wire(versions)


def _record(wire: dict | None, kind: type[base.Record] | None) -> base.Record | None:
    if kind is None:
        return None
    record = None if wire is None else base.Record.from_wire(wire)
    if record is not None and not isinstance(record, kind):
        raise errors.Invalid(f'expected a {kind.__name__} on the bus, not {type(record).__name__}')
    return record


Served = Callable[[nova_context.RequestContext, base.Record | None], base.Record | None]
"""What deals with a method."""


def _exposed(interface: type[Interface], endpoint: object) -> object:
    """An object with the declared methods of `endpoint` and no others, in the version that we serve."""
    served = release.own().speaks(interface.topic, interface.version)
    members: dict[str, object] = {'target': oslo_messaging.Target(topic=interface.topic, version=served)}
    for name, method in interface.methods.items():
        function = getattr(endpoint, name, None)
        if not callable(function):
            raise TypeError(f'{type(endpoint).__name__} lacks {name}, which {interface.__name__} declares')
        members[name] = oslo_messaging.expose(_handler(interface, name, method, function, served))
    return type(f'{interface.__name__}Exposed', (), members)()


def _handler(interface: type[Interface], name: str, method: Method, function: Served, served: str) -> object:
    def handle(self: object, ctxt: dict, record: dict | None = None, speaks: str | None = None) -> dict | None:
        context = nova_context.RequestContext.from_dict(ctxt)
        context.update_store()
        began, outcome = clock.monotonic(), 'ok'
        spoken = served if speaks in (None, served) else min(speaks, served, key=version_of)
        try:
            result = function(context, _record(record, method.takes))
            if method.kind != 'call':
                return None
            return {'record': _wire(result, method.returns, interface.records_at(spoken))}
        except Exception as error:  # noqa: BLE001  the caller is told of whatever happens; here it is logged
            outcome = 'error'
            _tell(interface, name, method, error)
            form = {**errors.to_dict(error), 'details': None}
            return {'error': form} if method.kind == 'call' else None
        finally:
            metrics.RPC_SERVED.labels(interface.topic, name, outcome).observe(clock.monotonic() - began)

    return handle


def _tell(interface: type[Interface], name: str, method: Method, error: Exception) -> None:
    expected = isinstance(error, problem.Problem) and error.status < 500
    if expected and method.kind == 'call':
        LOG.debug('%s.%s answers %s', interface.topic, name, error)
    elif expected:
        LOG.warning('%s.%s refused a message: %s', interface.topic, name, error)
    else:
        LOG.exception('%s.%s failed', interface.topic, name)
