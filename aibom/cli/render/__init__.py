"""How results look: on a terminal of 80 columns, for readers who are not engineers."""
