"""Renders every overlay and checks it against Kubernetes' schemas, offline: ``python deploy/kubernetes/check.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

FOLDER = Path(__file__).parent
#: Kinds of operators; Kubernetes' own schemas do not have them.
FOREIGN = {"keda.sh/v1alpha1", "rabbitmq.com/v1beta1"}


def overlays() -> list[str]:
    """Names of the overlays."""
    return sorted(path.parent.name for path in FOLDER.glob("overlays/*/kustomization.yaml"))


def render(overlay: str) -> list[dict[str, Any]]:
    """The objects of an overlay.

    Raises:
        RuntimeError: When Kustomize refuses it.
    """
    kubectl = Path(sys.executable).with_name("kubectl")
    # The overlays share one list of fields with images, which lies beside the workers.
    command = [str(kubectl), "kustomize", "--load-restrictor=LoadRestrictionsNone", str(FOLDER / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{overlay}: {done.stderr.strip()}")
    return [item for item in yaml.safe_load_all(done.stdout) if item]


def violations(objects: list[dict[str, Any]]) -> list[str]:
    """What the schemas say against them."""
    found = []
    for item in objects:
        if item["apiVersion"] in FOREIGN:
            continue
        try:
            kubernetes_validate.validate(item, kubernetes_validate.latest_version(), strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(
                f"{item['kind']} {item['metadata']['name']}: {'/'.join(map(str, error.path))}: {error.message}"
            )
    return found


def main() -> int:
    """Checks all overlays; returns the exit status."""
    bad = 0
    for overlay in overlays():
        objects = render(overlay)
        found = violations(objects)
        bad += len(found)
        sys.stdout.write("".join(f"{overlay}: {line}\n" for line in found))
        sys.stdout.write(f"{overlay}: {len(objects)} objects, {len(found)} violations\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
