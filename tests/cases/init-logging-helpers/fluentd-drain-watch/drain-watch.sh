#!/bin/sh
exec curl --silent --fail "$CALL_URL"
