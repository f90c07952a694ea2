//go:build !faults

package main

import "github.com/jujube-project/jujube/agent"

// In a build with the tag faults these two make the agent fail (faults.go). In every other build
// they do nothing.
func misbehave(_, _ string)        {}
func misconfigure(_ *agent.Config) {}
