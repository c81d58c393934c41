"""Operations that survive: flows of undoable steps, journalled in the database of the server."""
