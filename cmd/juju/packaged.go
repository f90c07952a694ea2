//go:build packaged

package main

import "github.com/jujube-project/jujube/cli"

// extra is empty: the client that people install has no commands but those of package cli.
var extra []cli.Extra
