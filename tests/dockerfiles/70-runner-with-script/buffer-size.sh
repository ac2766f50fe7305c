#!/bin/sh
du -s "$1"
