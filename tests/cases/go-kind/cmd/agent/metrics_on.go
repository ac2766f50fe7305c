//go:build metrics

package main

import m "registry.example/agent/internal/metrics"

func metrics() string { return m.Name }
