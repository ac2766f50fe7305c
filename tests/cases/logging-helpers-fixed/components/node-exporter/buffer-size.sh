#!/bin/sh
du --summarize "$BUFFER_PATH"
