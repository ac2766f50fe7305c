#!/bin/sh
echo root
