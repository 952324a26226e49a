"""The part of the settings that travels in the platform spec, written by kfp-kubernetes' own functions."""

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from kfp import kubernetes

if TYPE_CHECKING:
    from roadsafety_components.kubernetes.settings import Settings


def platform_config(settings: "Settings") -> dict[str, Any]:
    """KubernetesExecutorConfig of one task, as JSON; empty if there is nothing to say."""
    # All that these functions read and write of a task whose settings are no pipeline parameters.
    task = SimpleNamespace(platform_config={})
    _place(task, settings)
    _connect(task, settings)
    return task.platform_config.get("kubernetes", {})


def _place(task: Any, settings: "Settings") -> None:
    """Where the pod runs, as whom, from which image, for how long."""
    if settings.timeout_seconds:
        kubernetes.set_timeout(task, settings.timeout_seconds)
    if settings.image_pull_policy:
        kubernetes.set_image_pull_policy(task, settings.image_pull_policy)
    if settings.image_pull_secrets:
        kubernetes.set_image_pull_secrets(task, list(settings.image_pull_secrets))
    identity = (settings.run_as_user, settings.run_as_group, settings.run_as_non_root)
    if any(value is not None for value in identity):
        kubernetes.set_security_context(task, *identity)
    for key, value in settings.node_selector.items():
        kubernetes.add_node_selector(task, key, value)
    for toleration in settings.tolerations:
        kubernetes.add_toleration(task, **toleration)
    for key, value in settings.labels.items():
        kubernetes.add_pod_label(task, key, value)
    for key, value in settings.annotations.items():
        kubernetes.add_pod_annotation(task, key, value)


def _connect(task: Any, settings: "Settings") -> None:
    """What the pod sees of the cluster: secrets, config maps, volumes."""
    for secret, keys in settings.secret_env.items():
        kubernetes.use_secret_as_env(task, secret, dict(keys))
    for secret, folder in settings.secret_files.items():
        kubernetes.use_secret_as_volume(task, secret, folder)
    for config, keys in settings.config_env.items():
        kubernetes.use_config_map_as_env(task, config, dict(keys))
    for config, folder in settings.config_files.items():
        kubernetes.use_config_map_as_volume(task, config, folder)
    for claim, folder in settings.volumes.items():
        kubernetes.mount_pvc(task, claim, folder)
    for folder, size in settings.scratch.items():
        kubernetes.empty_dir_mount(task, scratch_name(folder), folder, size_limit=size)
    if settings.shared_memory:
        kubernetes.empty_dir_mount(task, "shm", "/dev/shm", "Memory", settings.shared_memory)


def scratch_name(folder: str) -> str:
    """The volume of a folder of scratch."""
    return f"scratch{folder.replace('/', '-')}"
