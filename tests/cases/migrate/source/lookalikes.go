package main

import _ "github.com/vmware-tanzu/velero/cmd/velero-restore-helper"

const name = "velero-restore-helper"

var command = []string{"/velero-restore-helper"}

var keys = map[string]bool{"velero-restore-helper": true}

// Package main is velero-restore-helper.
var path = "./cmd/velero-restore-helper/main.go"
