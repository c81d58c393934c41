"""A page that shows the API of a standalone cloud: ``/docs``, and ``/docs?version=2.53`` of another
microversion.

What it needs comes from a package; nothing is fetched from anywhere else.
"""

import importlib.resources
import re
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Compute API</title><meta name="viewport" content="width=device-width"></head>
<body style="margin: 0"><div id="docs"></div>
<script src="/docs/redoc.standalone.js"></script>
<script>
const version = new URLSearchParams(location.search).get('version') || 'latest';
Redoc.init('/openapi.json?version=' + encodeURIComponent(version), {}, document.getElementById('docs'));
</script>
</body>
</html>
"""
_ONLY_OURS = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; " \
             "img-src 'self' data:; font-src 'self' data:; worker-src 'self' blob:"
_SCRIPT = 'redoc.standalone.js'
_PICTURE = re.compile(rb'https://cdn\.redoc\.ly/[\w./-]+')



def beside(app: WSGIApplication) -> WSGIApplication:
    """The application, with the page at ``/docs``."""
    def served(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get('PATH_INFO', '').rstrip('/')
        if environ.get('REQUEST_METHOD') not in ('GET', 'HEAD') or path not in ('/docs', f'/docs/{_SCRIPT}'):
            return app(environ, start_response)
        page = path == '/docs'
        content = _PAGE.encode() if page else _script()
        start_response('200 OK', [
            ('Content-Type', 'text/html; charset=utf-8' if page else 'text/javascript; charset=utf-8'),
            ('Content-Length', str(len(content))), ('Content-Security-Policy', _ONLY_OURS)])
        return [content] if environ['REQUEST_METHOD'] == 'GET' else []
    return served


def _script() -> bytes:
    """Redoc without the picture that it would fetch from its makers."""
    found = (importlib.resources.files('openapi_ui_bundles') / 'redoc' / 'vendor' / _SCRIPT).read_bytes()
    return _PICTURE.sub(b'data:,', found)
