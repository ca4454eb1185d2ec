#!/bin/sh
# step.sh LABEL COMMAND...: runs one step of the build under a line that says what it is, and says how long it took.
label=$1
shift
printf '→ %s\n' "$label"
label=${label%% (*}
begun=$(date +%s)
"$@"
status=$?
took=$(($(date +%s) - begun))
if [ "$status" -ne 0 ]; then
  printf '✗ failed after %s s: %s\n' "$took" "$label" >&2
elif [ "$took" -ge 2 ] || [ -n "${CI:-}" ]; then
  printf '  %s s: %s\n' "$took" "$label"
fi
exit "$status"
