"""The Compute API for any WSGI server: ``nova.wsgi.osapi_compute:application``."""

from nova.wsgi import serve

application = serve.start()
