"""What a cluster asks of its pods, kept out of the portable specs: resources by profile, retries, volumes, secrets.

``from roadsafety_components import kubernetes as k8s``; settings are made in Python or read from one YAML file, and
applied to a task, to a pipeline function or to a compiled pipeline. Runners on a laptop ignore the platform part.
"""

from roadsafety_components.kubernetes.plan import Retries
from roadsafety_components.kubernetes.profiles import PROFILES
from roadsafety_components.kubernetes.settings import Settings, read_settings, settings_yaml

__all__ = ["PROFILES", "Retries", "Settings", "read_settings", "settings_yaml"]
