#!/bin/sh
du -s "$BUFFER_PATH"
