"""``application``, for any WSGI server."""

from nova.placement import server

application = server.start()
