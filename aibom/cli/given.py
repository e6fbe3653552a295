"""The options that a command was given, as words to give them again."""

import click
from click.core import ParameterSource


def given_options(context: click.Context) -> tuple[str, ...]:
    """Every option on the command line, by its full name, with its value; none that stand at their default."""
    words: list[str] = []
    for option in context.command.params:
        name = option.name or ""
        if not isinstance(option, click.Option) or context.get_parameter_source(name) != ParameterSource.COMMANDLINE:
            continue
        value = context.params[name]
        long_name = max(option.opts, key=len)
        if option.is_flag:
            words.append(long_name)
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words += [long_name, str(one)]
    return tuple(words)
