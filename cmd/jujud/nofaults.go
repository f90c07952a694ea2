//go:build !faults

package main

import "github.com/jujube-project/jujube/agent"

// What faults.go does in builds for tests; nothing in every other build.
func misbehave(_, _ string)        {}
func misconfigure(_ *agent.Config) {}
