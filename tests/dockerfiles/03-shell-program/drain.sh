#!/bin/sh
echo "drained $*"
