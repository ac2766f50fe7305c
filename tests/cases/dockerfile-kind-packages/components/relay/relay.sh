#!/bin/sh
exec socat - "TCP:$1"
