"""Requests that come with a key are done once, however often they are sent.

``Idempotency-Key`` is a word of the client's own. The first request that comes with it is done, and its answer
kept; one that comes again gets that answer and does nothing. What makes this exact is `remember`: the key's row
is written with the operation that begins, in one transaction, and its name is unique.
"""

import datetime
import hashlib
import hmac
import re
from collections.abc import Callable

import falcon
import sqlalchemy as sa

from nova.common import clock, dbkit, jsonutil, problem, threads, web
from nova.context import RequestContext
from nova.objects import idempotency_key as keys
from nova.rest.resource import Operation, Reply

HEADER = 'Idempotency-Key'
REPLAYED = 'Idempotent-Replayed'
LONGEST = 255
_SHAPE = re.compile(rf'^[\x21-\x7e]{{1,{LONGEST}}}$')
PATIENCE = 5.0
"""Seconds that one who repeats a request waits for the answer to the first one."""
_PAUSE = 0.1
_HEADERS = ('Location',)
"""Of an answer, those that are kept."""
_SECRET = 'adminPass'


class BadKey(problem.BadRequest):
    code = 'bad_idempotency_key'
    template = (f'The header {HEADER} must be 1 to {LONGEST} visible ASCII characters without blanks: make a '
                'new UUID for each request.')


class KeyReused(problem.Problem):
    status, code = 422, 'idempotency_key_reused'
    template = (f'This {HEADER} came with another request before: send the same body and microversion again, '
                'or use a new key.')


class Unanswered(problem.Conflict):
    code = 'idempotency_key_unanswered'
    template = (f'The request that came with this {HEADER} has begun operation {{task}}, and is not answered '
                'yet, or was cut off: send it again in a moment, or look at the tasks of the server.')


class Once:
    """One request with a key.

    Args:
        asked: all that makes it another request: microversion, action, body.
        age: for how long keys are kept.
    """

    def __init__(self, key: str, context: RequestContext, path: str, asked: object, age: datetime.timedelta
                 ) -> None:
        whose = [context.project_id, context.user_id, path, key]
        self._name = hashlib.sha256(jsonutil.dumps(whose)).hexdigest()
        # The key, which is kept nowhere, hides what a digest of a body with a password would tell.
        self._digest = hmac.new(key.encode(), jsonutil.dumps(_sorted(asked)), 'sha256').hexdigest()
        self._age, self._key = age, key
        self.began = False

    @classmethod
    def of(cls, req: falcon.Request, operation: Operation, body: object, age: datetime.timedelta
           ) -> 'Once | None':
        """Of a request, if it has a key and its operation minds it.

        Raises:
            BadKey: it has one that is none.
        """
        key = req.get_header(HEADER)
        if key is None or not operation.once:
            return None
        if not _SHAPE.match(key):
            raise BadKey()
        return cls(key, req.context.caller, req.path, [str(req.context.version), operation.name, body], age)

    def remember(self, conn: sa.Connection, task: str | None, reply: Reply | None = None) -> None:
        """Write the key down in the transaction in which the request's operation begins.

        Args:
            reply: what will be answered, where that is known by then.

        Raises:
            keys.Repeated: another request has begun it.
        """
        answer = None if reply is None else keys.Answer(reply.status or 202, reply.headers, _public(reply.body))
        keys.add(conn, self._name, keys.Kept(self._digest, task, answer), self._age)
        self.began = True

    def serve(self, db: dbkit.Database, run: Callable[[], None], resp: falcon.Response) -> None:
        """Answer as before, or do it with `run`, which writes an answer, and keep that.

        A request that is refused has done nothing, and its key is not used up by it.
        """
        resp.set_header(HEADER, self._key)
        if self._replay(db, resp):
            return
        try:
            run()
        except Exception:
            # Whoever was quicker may be why we were refused: then his answer is ours.
            if self.began or not self._replay(db, resp):
                raise
            return
        answer = keys.Answer(falcon.http_status_to_code(resp.status), {
            name: value for name in _HEADERS if (value := resp.get_header(name)) is not None}, _public(
            jsonutil.loads(resp.data) if resp.data else None))

        def write(conn: sa.Connection) -> None:
            if not self.began and keys.find(conn, self._name, self._age) is None:
                keys.add(conn, self._name, keys.Kept(self._digest, None, answer), self._age)
            keys.answered(conn, self._name, answer)
        try:
            db.write(write, landed=dbkit.repeatable)
        except keys.Repeated:
            return  # it was done twice at once, by an action that may be; both were answered

    def _replay(self, db: dbkit.Database, resp: falcon.Response) -> bool:
        """Answer what was answered before; False when nothing was.

        Raises:
            KeyReused: 422.
            Unanswered: 409.
        """
        deadline = clock.Deadline(PATIENCE)
        while True:
            with db.read() as conn:
                kept = keys.find(conn, self._name, self._age)
            if kept is None:
                return False
            if not hmac.compare_digest(kept.digest, self._digest):
                raise KeyReused()
            if kept.answer is not None:
                break
            if deadline.passed():
                raise Unanswered(task=kept.task, headers={'Retry-After': '1'})
            threads.sleep(_PAUSE)  # another process answers it just now
        answer = kept.answer
        for name, value in (*answer.headers.items(), (REPLAYED, 'true')):
            resp.set_header(name, value)
        resp.status = falcon.code_to_http_status(answer.status)
        if answer.body is not None:
            web.send(resp, answer.body, answer.status)
        elif answer.status != 204:
            resp.content_type = falcon.MEDIA_JSON
        return True


def _sorted(value: object) -> object:
    """A document whose members are in one order, whatever order they came in."""
    if isinstance(value, dict):
        return [[name, _sorted(value[name])] for name in sorted(value)]
    return [_sorted(each) for each in value] if isinstance(value, list) else value


def _public(body: object) -> object:
    """A body without what is answered once only."""
    if not isinstance(body, dict):
        return body
    return {name: _public(value) for name, value in body.items() if name != _SECRET}
