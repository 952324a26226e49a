"""A step as a container component: the same interface, run by the project's image with a plain command line."""

import inspect
from typing import Any

from kfp import dsl
from kfp.dsl import container_component_class

from roadsafety_components.packaging.carry import code_digest
from roadsafety_components.packaging.images import IMAGE
from roadsafety_components.packaging.interface import flag, function_of, interface_of


def as_container(step: Any, image: str = IMAGE) -> container_component_class.ContainerComponent:
    """The container packaging of a lightweight step.

    The command is the image's own: ``roadsafety step NAME --input ... --output ...``. Beside the flags it gets KFP's
    executor input, from which the step takes artifacts with their metadata; artifacts that may be absent, and lists of
    them, are in it only, because KFP has no flag that comes and goes, or comes several times. And it names the code
    that it was compiled from (``carry.code_digest``).
    """
    function = function_of(step)
    interface = interface_of(step)
    code = code_digest(function)
    signature = inspect.signature(function).replace(return_annotation=dsl.ContainerSpec)

    def container(*placeholders: Any) -> dsl.ContainerSpec:
        values = signature.bind(*placeholders).arguments
        arguments = ["step", interface.name, "--code", code]
        for port in (*interface.inputs, *interface.outputs):
            if port.is_list or (port.is_artifact and port in interface.inputs and not port.required):
                continue
            if port.is_artifact:
                arguments += [flag(port.name), values[port.name].path]
            else:
                arguments += [flag(port.name), values[port.name]]
        arguments += ["--executor-input", dsl.PIPELINE_TASK_EXECUTOR_INPUT_PLACEHOLDER]
        return dsl.ContainerSpec(image=image, command=["roadsafety"], args=arguments)

    container.__name__ = function.__name__
    container.__doc__ = function.__doc__
    container.__signature__ = signature  # type: ignore[attr-defined]
    return dsl.container_component(container)
