"""What a user may say about a server: route, rule, body, guard and flow of one operation, declared in one
place.

An `Action` with a `flow` checks, takes the server's slot by inserting the task, and answers 202; `prepare`
holds what is its own: the checks that answer 4xx, and the flow's first state. One that has no effect beyond the
request overrides `answer` instead.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import sqlalchemy as sa

from nova import errors
from nova.common.jsonutil import JsonObject
from nova.objects import Instance, State
from nova.objects.task import Task
from nova.policies.base import Rule
from nova.rest.resource import Body, Operation, Returns, make
from nova.task import guard
from nova.task.flow import AnyFlow
from nova.task.handles import Request


class Action:
    """Base of every action; subclasses in `nova.ops` are found by listing.

    Attributes:
        on: the collection whose members have it.
        key: the body's single key.
        name: the word for it in messages; the key when absent.
        rule: who may; asked about the server's project.
        rules: rules that `prepare` asks beyond that one.
        body: None accepts anything (clients send null), else what is under the key.
        since, until: microversions.
        start: the states from which it may start.
        status: of the success.
        returns: how the answer is rendered, as for `nova.rest.resource.Operation`.
        method, path: for operations with a route of their own, such as DELETE.
        once: a request that comes again with the same ``Idempotency-Key`` is not done again.
    """

    on: ClassVar[str] = 'servers'
    key: ClassVar[str | None] = None
    name: ClassVar[str] = ''
    rule: ClassVar[Rule | None] = None
    rules: ClassVar[tuple[Rule, ...]] = ()
    body: ClassVar[Body | None] = None
    since: ClassVar[str] = '2.1'
    until: ClassVar[str | None] = None
    start: ClassVar[guard.From] = guard.ANYTIME
    status: ClassVar[int | Mapping[str, int]] = 202
    flow: ClassVar[type[AnyFlow] | None] = None
    returns: ClassVar[Returns | None] = None
    method: ClassVar[str] = 'POST'
    path: ClassVar[str] = ''
    once: ClassVar[bool] = True

    def prepare(self, req: Request, instance: Instance, body: JsonObject) -> State:
        """Check what only this action knows, and make the flow's first state."""
        assert self.flow is not None
        return self.flow.State()

    def answer(self, req: Request, instance: Instance, body: JsonObject) -> object:
        """Do what was asked; the result is the response (see `nova.rest.resource`)."""
        state = self.prepare(req, instance, body)
        assert self.flow is not None, 'an action without a flow answers by itself'
        task = req.submit(self.flow, instance, state, guard=self.guard(), also=self.also)
        return self.reply(req, instance, body, state, task)

    def reply(self, req: Request, instance: Instance, body: JsonObject, state: Any,  # type: ignore[explicit-any]
              task: Task) -> object:
        """What to answer once the task is in the journal; nothing, by default."""
        return None

    def guard(self) -> guard.Check:
        """The check that the journal repeats once it has the server's slot."""
        return self.start.guard(self.word)

    def also(self, conn: sa.Connection, fresh: Instance) -> None:
        """What else is judged, or written, in the transaction that takes the server's slot; may run twice."""

    @property
    def word(self) -> str:
        return self.name or self.key or type(self).__name__.lower()

    def __call__(self, req: Request, instance: Instance, **names: str) -> object:
        """Check and answer; `names` are what the path names beside the server, and `answer` gets them."""
        self.start.check_lock(instance, req.context)
        self.start.check(instance, self.word)
        if self.start.host_up and not req.host_is_up(instance.host):
            raise errors.host.HostDown(host=instance.host)
        return self.answer(req, instance, req.body, **names)

    def operation(self) -> Operation:
        """This action as the dispatcher wants it."""
        kind = type(self)
        body = self.body or (Body({}) if self.key else None)
        return make(self.method, self.path or f'/{self.on}/{{server_id}}/action', self,
                    since=self.since, until=self.until, action=self.key, rule=self.rule, rules=self.rules,
                    body=body, ok=self.status, returns=self.returns,
                    once=self.once and self.method == 'POST', name=kind.__qualname__)
