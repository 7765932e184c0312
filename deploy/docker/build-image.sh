#!/usr/bin/env bash
# Builds the image from the state of the working tree, with docker or buildah, whichever is there. The same commit gives the same
# layers: what is in them is as old as the commit.
#
#   deploy/docker/build-image.sh [name:tag]
#
# BASE     the image to build on, best by digest; default: that of the Dockerfile
# BUILDER  docker or buildah; default: docker where there is one
# OPTIONS  more options for the builder, separated by blanks
set -euo pipefail
cd "$(dirname "$0")/../.."

version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
revision=$(git rev-parse HEAD)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

arguments=(
  --file deploy/docker/Dockerfile
  --tag "${1:-time-service:$version}"
  --build-arg "VERSION=$version"
  --build-arg "REVISION=$revision"
  --build-arg "CREATED=$(date --utc --date "@$SOURCE_DATE_EPOCH" +%Y-%m-%dT%H:%M:%SZ)"
)
[ -z "${BASE:-}" ] || arguments+=(--build-arg "BASE=$BASE")
read -ra more <<<"${OPTIONS:-}"

case ${BUILDER:-$(command -v docker >/dev/null && echo docker || echo buildah)} in
  docker) docker buildx build --output type=docker,rewrite-timestamp=true "${arguments[@]}" "${more[@]}" . ;;
  # Docker's format, as OCI's has no place for the health check.
  buildah) buildah build --format docker --layers --timestamp "$SOURCE_DATE_EPOCH" "${arguments[@]}" "${more[@]}" . ;;
  *) echo 'BUILDER must be docker or buildah' >&2 && exit 1 ;;
esac
