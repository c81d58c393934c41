"""The metadata service for any WSGI server: ``nova.wsgi.metadata:application``."""

from nova.wsgi import serve

application = serve.start('nova-api-metadata', serve.metadata)
