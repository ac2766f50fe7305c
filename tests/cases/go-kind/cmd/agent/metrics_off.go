//go:build !metrics

package main

func metrics() string { return "without metrics" }
