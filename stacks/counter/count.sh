#!/bin/sh
# A CGI program: GET tells the count, POST adds one to it first. The count is
# one line in a file, and the file is all the state that there is.
n=$(cat /data/count 2>/dev/null || echo 0)
if [ "$REQUEST_METHOD" = POST ]; then
  n=$((n + 1))
  echo "$n" >/data/count
fi
printf 'Content-Type: text/plain\r\n\r\ncount %s\n' "$n"
