"""os-getConsoleOutput: the end of a server's serial console. Its host is asked; nothing is changed."""

import re

from nova import objects
from nova.common.jsonutil import JsonObject
from nova.policies import console_output as rules
from nova.rest import types
from nova.rest.field import Field
from nova.rest.resource import Body, Reply
from nova.rpc.questions import Questions
from nova.task.action import Action
from nova.task.guard import ANY, From
from nova.task.handles import Request

_CONTROLS = re.compile(r'[\x00-\x08\x0b\x0c\x0e-\x1f]')
"""What terminals obey and clients of the API cannot show; tabs and ends of lines stay."""


class ConsoleOutput(Action):
    key = 'os-getConsoleOutput'
    rule = rules.CONSOLE_OUTPUT
    body = Body(length=Field(types.nullable(types.integer(-1)), 'How many lines, the last ones; -1 is all.'))
    start = From(task=ANY, launched=False, lock=False, host=True)
    status = 200
    once = False
    returns = {'type': 'object', 'properties': {'output': types.TEXT}}

    def answer(self, req: Request, instance: objects.Instance, body: JsonObject) -> Reply:
        length = body.get('length')
        lines = None if length is None or int(length) < 0 else int(length)
        told = req.ask_host(instance, Questions.console_output, lines=lines)
        return Reply(body={'output': _CONTROLS.sub('', told.value)})
