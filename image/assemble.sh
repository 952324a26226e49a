#!/bin/sh
# Makes from the packages in /venv the layers of an image: /image/system, packages and project; or, called with
# `serving`, /image/serving: what has been installed since.
set -eu
cd "$(dirname "$0")"
umask 022
site=$(echo /venv/lib/python3*/site-packages)
layer=${1:-project}

# What packages ask of each other is there, but for what is left out knowingly (left_out.txt names no versions).
if /tools/bin/pip --python /venv/bin/python check | sed 's/ [0-9][^ ]* requires/ requires/' |
  grep -vxFf ../requirements/left_out.txt; then exit 1; fi

python trim.py "$site"
_KFP_RUNTIME=true /venv/bin/python -B loaded.py >/tmp/loaded
grep ^/venv/ /tmp/loaded | python -m compileall -q --invalidation-mode unchecked-hash -i -

if [ "$layer" = project ]; then
  mkdir -p /image/system /image/packages "/image/project$site" /image/project/venv/bin
  python system.py /image/system /venv
  grep -v ^/venv/ /tmp/loaded | sed 's,^,/image/system,' |
    python -m compileall -q --invalidation-mode unchecked-hash -s /image/system -i -
  cp -a /venv /image/packages
  mv "/image/packages$site"/roadsafety_components* "/image/project$site"
  mv /image/packages/venv/bin/roadsafety /image/project/venv/bin
else
  mkdir -p "/image/$layer"
  find /venv -type f -o -type l | while read -r file; do
    [ -e "/image/packages$file" ] || [ -e "/image/project$file" ] || cp -d --parents "$file" "/image/$layer"
  done
fi
mkdir "/image/$layer/sbom"
# Some packages tell their licence in a form of their own: with its text.
/tools/bin/cyclonedx-py environment --gather-license-texts --output-reproducible --spec-version 1.6 \
  --output-file "/image/$layer/sbom/roadsafety-components.cdx.json" /venv/bin/python
find /image -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
