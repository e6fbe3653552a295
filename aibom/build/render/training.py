"""How the model was made, as a formulation: what went in, with which settings, and what came out."""

from aibom.build.account import Account
from aibom.build.render.identifiers import TRAINING_REF
from aibom.core.strictjson import Json
from aibom.cyclonedx import properties as names
from aibom.cyclonedx.ml.formulation import Formula, Parameter, TaskType, Workflow

_ASSUMED = "the code was published with the model; nothing says that this very code, so set, made it"


def formulation(account: Account) -> list[Json]:
    """One formula with one workflow, if anything is known of the training."""
    training = account.training
    if training is None:
        return []
    workflow = Workflow(
        ref=f"{TRAINING_REF}:workflow",
        name=training.name,
        task_types=(TaskType.OTHER,),
        inputs=training.inputs,
        parameters=tuple(Parameter(name=s.name, value=s.value) for s in training.settings),
        outputs=training.outputs,
        properties=(
            *(((names.ASSUMED, _ASSUMED),) if training.assumed else ()),
            *(
                (f"{names.SETTING_SOURCE_PREFIX}{setting.name}", str(source))
                for setting in training.settings
                for source in setting.sources
            ),
        ),
    )
    return [Formula(ref=TRAINING_REF, workflows=(workflow,)).to_json()]
