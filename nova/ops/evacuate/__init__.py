"""Making a server anew whose host has failed."""
