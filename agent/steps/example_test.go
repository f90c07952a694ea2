package steps_test

import (
	"context"
	"fmt"

	"github.com/jujube-project/jujube/agent/steps"
	"github.com/jujube-project/jujube/events/version"
)

// A host goes from 1.24.0 to 1.25.1: it takes the steps of 1.25.0, and then goes back.
func Example() {
	say := func(what string) func(context.Context, steps.Host) error {
		return func(context.Context, steps.Host) error {
			fmt.Println(what)
			return nil
		}
	}
	number := func(major, minor, patch int) version.Number {
		return version.Number{Major: major, Minor: minor, Patch: patch}
	}
	releases := []steps.Release{
		{Version: number(1, 25, 0), Steps: []steps.Step{
			{Description: "split the log", Targets: []steps.Target{steps.AllMachines}, Run: say("split"), Undo: say("join")},
			{Description: "index the log", Targets: []steps.Target{steps.StateServer}, Run: say("index"), Undo: steps.NothingToUndo},
		}},
		{Version: number(1, 26, 0), Steps: []steps.Step{
			{Description: "move the log", Targets: []steps.Target{steps.AllMachines}, Run: say("move")}, // cannot be undone
		}},
	}
	host := steps.Host{Targets: []steps.Target{steps.HostMachine}}
	due := steps.Between(releases, number(1, 24, 0), number(1, 25, 1))
	taker := steps.Taker{
		Host: host,
		Closing: func(r version.Number, s steps.Step) error {
			return fmt.Errorf("%s: to %s cannot be undone", r, s.Description)
		},
		Reached: func(r version.Number) error {
			fmt.Println("reached", r)
			return nil
		},
	}
	fmt.Println(taker.Take(context.Background(), due))
	fmt.Println(steps.Undo(context.Background(), host, due))
	fmt.Println(taker.Take(context.Background(), releases[1:]))
	// Output:
	// split
	// reached 1.25.0
	// <nil>
	// join
	// <nil>
	// 1.26.0: to move the log cannot be undone
}
