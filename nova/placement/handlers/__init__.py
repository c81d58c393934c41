"""What the URLs of the Placement API do: one file a resource, with its schemas per microversion.

A handler takes the request's `Context` and the fields of its path, and returns a `Reply`.
"""
