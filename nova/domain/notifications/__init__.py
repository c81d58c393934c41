"""What notifications say: payloads as other services know them, and which operation sends which."""
