"""How complete the account is, by area; both formats say it in their own words."""

from aibom.build.account import Account, Model


def is_whole(model: Model) -> bool:
    """Whether a model's weights are there, every one of them could be read, and none that an index names is missing."""
    if model.problems or any(part.problems for part in model.parts):
        return False
    if any(file.problems for file in model.all_files if file.classification.is_weights):
        return False
    return model.weights is not None or (bool(model.parts) and all(part.weights for part in model.parts))


def dependencies_are_known(account: Account) -> bool:
    """Whether every dependency is settled: a lock is there, and no declared library is left at a range or at nothing.

    A list of ranges names what is asked for, not what is used; a lock of one project says nothing of what another
    file of the release asks for beside it.
    """
    code = account.code
    return code.locked and not code.undeclared and all(library.dependency.version for library in code.libraries)
