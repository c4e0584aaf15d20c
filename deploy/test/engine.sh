# Makes sure that a Docker engine with Compose v2 and BuildKit can be reached. To be sourced, from the repository's root.
#
# Where there is none, a script that starts one may lie beside this repository (../shared/tools/containers); its base
# images are local, so nothing is pulled then.
engine_tools=../shared/tools/containers
if ! docker info >/dev/null 2>&1; then
  if [ ! -e "$engine_tools/up" ]; then
    echo "NOT RUN: no Docker engine can be reached (docker info fails)." >&2
    echo "Start Docker, or point DOCKER_HOST at an engine, and run the same command again." >&2
    exit 1
  fi
  echo "starting a container engine and its base images (minutes, once)"
  # shellcheck source=/dev/null
  . "$engine_tools/up"
  timeout 1500 bash "$engine_tools/images" >/dev/null
  export TORCH_INDEX_URL="" # the local Python image brings a small build of torch along
fi
