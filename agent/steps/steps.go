package steps

import (
	"context"
	"fmt"
	"slices"

	"github.com/jujube-project/jujube/agent/install"
	"github.com/jujube-project/jujube/events/version"
)

// Target is a set of hosts that a step is for.
type Target string

// Targets of a step. Source of the names: Juju 1.25.
const (
	AllMachines Target = "allMachines"
	HostMachine Target = "hostMachine" // a machine that runs units
	StateServer Target = "stateServer"
)

// Host is the machine that steps are taken on.
type Host struct {
	Layout  install.Layout
	Targets []Target // what the host is; AllMachines is always meant, too
}

// is says whether a step for these targets is for this host.
func (h Host) is(targets []Target) bool {
	return slices.ContainsFunc(targets, func(t Target) bool { return t == AllMachines || slices.Contains(h.Targets, t) })
}

// Step is one thing that a release does to a host. Run and Undo may be called any number of
// times, also after a call that was cut off. Undo may be called on a host where Run never ran.
type Step struct {
	Description string // for a person, such as "tighten the modes of state files"
	Targets     []Target
	Run         func(context.Context, Host) error
	Undo        func(context.Context, Host) error // nil: it cannot be undone
}

// Release is the steps of one release, in their order.
type Release struct {
	Version version.Number
	Steps   []Step
}

// NothingToUndo is the Undo of a step after which older versions work as before.
func NothingToUndo(context.Context, Host) error { return nil }

// Between selects the releases whose steps lead from one version to a later one, in ascending
// order: those after from, up to and including to. The tag of to is dropped. So a beta takes
// the steps of the final release already, and every later beta takes them again.
func Between(releases []Release, from, to version.Number) []Release {
	if from == to {
		return nil
	}
	to.Tag = ""
	var due []Release
	for _, r := range releases {
		if from.Compare(r.Version) < 0 && r.Version.Compare(to) <= 0 {
			due = append(due, r)
		}
	}
	slices.SortStableFunc(due, func(a, b Release) int { return a.Version.Compare(b.Version) })
	return due
}

// Taker takes steps on one host. All fields are required.
type Taker struct {
	Host Host
	// Closing is called before each step that cannot be undone. It returns nil once it is
	// durable that the way back is closed. If it returns an error, the step is not taken, and
	// Take returns that error.
	Closing func(release version.Number, s Step) error
	// Reached is called for each release when all of its steps are done.
	Reached func(release version.Number) error
}

// StepError is a step that failed. It is worth trying again.
type StepError struct {
	Release version.Number
	Step    Step
	Err     error
}

func (e *StepError) Error() string { return fmt.Sprintf("%s: %v", e.Step.Description, e.Err) }
func (e *StepError) Unwrap() error { return e.Err }

// Take takes all steps of the releases, in order. It stops at the first step that fails, and
// returns a *StepError for it.
func (t Taker) Take(ctx context.Context, releases []Release) error {
	for _, r := range releases {
		for _, s := range r.Steps {
			if !t.Host.is(s.Targets) {
				continue
			}
			if s.Undo == nil {
				if err := t.Closing(r.Version, s); err != nil {
					return err
				}
			}
			if err := run(ctx, t.Host, s.Run); err != nil {
				return &StepError{r.Version, s, err}
			}
		}
		if err := t.Reached(r.Version); err != nil {
			return err
		}
	}
	return nil
}

// run runs one step. A panic in the step becomes an error, so that it does not end the agent.
func run(ctx context.Context, h Host, f func(context.Context, Host) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("it panicked: %v", p)
		}
	}()
	if err := ctx.Err(); err != nil {
		return err
	}
	return f(ctx, h)
}

// Undo undoes the steps of the releases, the last one first. If one of them cannot be undone,
// it returns an error before it undoes anything.
func Undo(ctx context.Context, h Host, releases []Release) error {
	for _, r := range releases {
		for _, s := range r.Steps {
			if s.Undo == nil && h.is(s.Targets) {
				return fmt.Errorf("the step of %s to %s cannot be undone", r.Version, s.Description)
			}
		}
	}
	for _, r := range slices.Backward(releases) {
		for _, s := range slices.Backward(r.Steps) {
			if !h.is(s.Targets) {
				continue
			}
			if err := run(ctx, h, s.Undo); err != nil {
				return fmt.Errorf("undo the step of %s to %s: %w", r.Version, s.Description, err)
			}
		}
	}
	return nil
}
