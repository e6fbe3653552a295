"""Predicates that we know: what each must hold, and those that can be filled in from what is known. All pure."""
