"""POST /servers: from a request to a running guest."""
