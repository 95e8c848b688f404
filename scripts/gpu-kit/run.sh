#!/bin/sh
# Checks and measures shear-lab's engine on this machine's GPU: Linux x64, Vulkan, no network, no Node.
#   sh run.sh [RESULTS]     writes kit.json, kit.md and logs to RESULTS (default ./results)
set -u
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "${1:-results}" && results=$(cd "${1:-results}" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/shear-lab-kit.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT

unpack() {
  if command -v xz >/dev/null 2>&1; then
    xz -dc "$here/kit.tar.xz" | tar xf - -C "$work"
  else
    python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1], "r:xz").extractall(sys.argv[2])' \
      "$here/kit.tar.xz" "$work"
  fi
}
unpack || { echo "kit: kit.tar.xz could not be unpacked: xz or python3 is needed." >&2; exit 1; }

# Only libraries that the machine lacks are taken from the kit.
have=$( (ldconfig -p || /sbin/ldconfig -p) 2>/dev/null)
mkdir -p "$work/lib-used"
for library in "$work"/lib/*; do
  name=$(basename "$library")
  case "$have" in
    *"$name"*) ;;
    *) ln -s "$library" "$work/lib-used/$name"; echo "kit: $name comes from the kit." >&2 ;;
  esac
done
LD_LIBRARY_PATH="${LD_LIBRARY_PATH:-}${LD_LIBRARY_PATH:+:}$work/lib-used"
[ -d /usr/local/nvidia/lib64 ] && LD_LIBRARY_PATH="$LD_LIBRARY_PATH:/usr/local/nvidia/lib64"
export LD_LIBRARY_PATH

# A driver file of NVIDIA's, unless the caller named one.
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  for file in /usr/share/vulkan/icd.d/nvidia_icd*.json /etc/vulkan/icd.d/nvidia_icd*.json \
    /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd*.json; do
    if [ -f "$file" ]; then export VK_DRIVER_FILES="$file"; break; fi
  done
  egl=/usr/local/nvidia/share/glvnd/egl_vendor.d/10_nvidia.json
  [ -f "$egl" ] && export __EGL_VENDOR_LIBRARY_FILENAMES="$egl"
fi
echo "kit: Vulkan driver file: ${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-the loader’s own choice}}" >&2

cd "$work" && "$work/bin/node" scripts/gpu-kit/run.mjs "$results"
