// Copyright

//go:build metrics && !windows

package main
