package clitest

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/jujube-project/jujube/cli"
	"github.com/jujube-project/jujube/cli/app"
)

// Exit codes of juju. Scripts of users rely on them, so they never change.
const (
	OK     = 0
	Failed = 1 // an error
	Wrong  = 2 // a wrong command line
)

// Run runs juju in this process with a store of its own in data. env holds variables as
// KEY=VALUE.
func Run(t *testing.T, data, line string, env ...string) (code int, stdout, stderr string) {
	t.Helper()
	vars := map[string]string{"JUJU_DATA": data}
	for _, kv := range env {
		k, v, _ := strings.Cut(kv, "=")
		vars[k] = v
	}
	var out, errs bytes.Buffer
	a := &app.App{
		Args: strings.Fields(line), Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs,
		Getenv: func(key string) string { return vars[key] },
	}
	code = cli.Main(context.Background(), a)
	return code, out.String(), errs.String()
}

// In makes a run of juju that has the directory as JUJU_DATA, and no other variable.
func In(data string) *app.App {
	return &app.App{Getenv: func(key string) string { return map[string]string{"JUJU_DATA": data}[key] }}
}
