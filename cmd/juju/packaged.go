//go:build packaged

package main

import "github.com/jujube-project/jujube/cli"

// extra: the client that people install has its own commands only.
var extra []cli.Extra
