// Command juju is the client: it asks an environment for things. `juju help` says more.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/jujube-project/jujube/cli"
	"github.com/jujube-project/jujube/cli/app"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	code := cli.Main(ctx, &app.App{
		Args: os.Args[1:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Getenv: os.Getenv,
	}, extra...)
	stop()
	os.Exit(code)
}
