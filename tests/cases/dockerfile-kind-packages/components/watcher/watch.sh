#!/bin/sh
exec inotifywait -m "$1"
