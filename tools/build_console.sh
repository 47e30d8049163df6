#!/usr/bin/env bash
# build_console.sh SOURCE DIST: builds the console (DIST/console) and the report viewer (DIST/report).
# Packages are installed in SOURCE/node_modules when package-lock.json has changed since.
set -euo pipefail
source_dir=$1 dist=$2
cd "$source_dir"
if ! cmp -s package-lock.json node_modules/.installed-lock; then
  npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
  cp package-lock.json node_modules/.installed-lock
fi
rm -rf "$dist/console" "$dist/report"
npx --no-install tsc --noEmit
npx --no-install vite build --logLevel warn --outDir "$dist/console" --emptyOutDir
npx --no-install vite build --logLevel warn --config vite.report.config.ts --outDir "$dist/report" --emptyOutDir
touch "$dist/stamp"
