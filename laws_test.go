// Package jujube_test holds the whole module to its laws: what may depend on what, what may
// read the clock, how long a line may be. A law is a function from a tree to its breaches;
// testdata/laws shows for each of them what it finds.
package jujube_test

import "testing"

// A dependency is what some packages must not depend on, however far away. What the
// standard library imports for itself, as fmt does os, does not count.
type dependency struct {
	from   []string // packages below the module; "…" at the end: and all below it
	forbid []string // import paths; "…" likewise; "module/X" is a package of this module
	but    []string // of those, what is allowed
	why    string
	except []exception
}

// An exception frees a package from one row, for a reason.
type exception struct {
	pkg     string // as in from
	through string // if set, only what these packages bring along is free
	why     string
}

var (
	generator = exception{pkg: "events/gen", why: "it is a program that writes docs/EVENTS.md"}
	scenarios = exception{pkg: "projections/scenario", why: "it reads the scenario files of tests"}
	goTUF     = exception{
		pkg: "…", through: "github.com/theupdateframework/go-tuf/v2/metadata…",
		why: "go-tuf has a client that reads files and speaks HTTP; tuf hands it bytes",
	}
)

var (
	nats     = []string{"github.com/nats-io/…", "github.com/synadia-io/…"}
	servers  = []string{"module/bus/server…", "github.com/nats-io/nats-server…", "github.com/prometheus/…"}
	network  = append([]string{"net/http…", "module/bus…"}, nats...)
	forTests = []string{
		"testing", "module/projections/scenario", "module/agent/install/crashfs",
		"module/bus/memlog", "module/bus/bustest", "module/bus/logtest", "module/events/testkey",
		"module/cli/clitest…",
	}
)

// pure are the packages in which the same input gives the same output, everywhere and always.
var pure = []string{"events…", "projections…", "statesrv/decide"}

// dependencies go from the bottom of the house to its top.
var dependencies = []dependency{
	{
		from: []string{"events…"}, forbid: []string{"module/…"}, but: []string{"module/events…"},
		why: "facts lie at the bottom",
	},
	{
		from: pure, forbid: []string{"os", "os/…", "syscall…", "net…"}, but: []string{"net/url"},
		why: "facts, folds and decisions do no I/O: the same log, the same answer", except: []exception{generator, scenarios, goTUF},
	},
	{
		from: pure, forbid: []string{"crypto/rand", "math/rand…"},
		why: "randomness is an argument", except: []exception{goTUF},
	},
	{
		from: []string{"projections…"}, forbid: []string{"module/…"}, but: []string{"module/events…", "module/projections…"},
		why: "folds know facts only",
	},
	{
		from: []string{"host"}, forbid: []string{"module/…", "net…", "github.com/…"},
		why: "what a host gives everybody lies below everybody, and the launcher links it",
	},
	{
		from: []string{"bus…"}, forbid: []string{"module/…"}, but: []string{"module/events…", "module/bus…", "module/host"},
		why: "the bus carries facts and does not judge them",
	},
	{
		from: []string{"bus", "agent…"}, forbid: servers,
		why: "who speaks over the bus links no server",
	},
	{
		from: []string{"bus/memlog"}, forbid: nats,
		why: "what is tested in memory needs no NATS",
	},
	{
		from: []string{"streams…"}, forbid: []string{"module/…"}, but: []string{"module/events…", "module/streams…", "module/host"},
		why: "trees of tools are read by clients and state servers alike",
	},
	{
		from: []string{"agent…"}, forbid: []string{"module/statesrv…", "module/cli…", "module/sim…"},
		why: "agents and state servers meet on the bus only",
	},
	{
		from: []string{"statesrv…"}, forbid: []string{"module/agent…", "module/cli…", "module/sim…"},
		why: "agents and state servers meet on the bus only",
	},
	{
		from: []string{"statesrv/decide"}, forbid: []string{"module/…", "sync…", "log…"},
		but: []string{"module/events…", "module/projections…", "module/statesrv/decide"},
		why: "a decision is a function of state, input, time and ids", except: []exception{goTUF},
	},
	{
		from: []string{"statesrv/writer", "statesrv/logtree"}, forbid: append([]string{"module/bus…", "net…"}, nats...), but: []string{"net/url"},
		why: "what writes the log is tried on a log in memory", except: []exception{goTUF},
	},
	{
		from: []string{"cli…", "cmd/juju"}, forbid: append([]string{"module/statesrv…", "module/agent…", "module/sim…"}, servers...),
		why:    "a client has no server in it, and neither demo nor simulations when it is installed",
		except: []exception{{pkg: "cli/clitest…", why: "it runs environments for the tests of commands"}},
	},
	{
		from: []string{"agent/launcher…"}, forbid: network,
		why: "the launcher judges a trial and is never updated: it is small and has no network",
	},
	{
		from: []string{"agent/pipe"}, forbid: network,
		why: "launcher and agent talk over pipes alone",
	},
	{
		from: []string{"agent/install"}, forbid: network,
		why: "installing is done on files alone",
	},
	{
		from: []string{"cmd…"}, forbid: forTests,
		why: "what tests need is not in the product",
	},
}

// families are the packages of juju's commands.
var families = []string{"cli/environment", "cli/inspect", "cli/machines", "cli/tools", "cli/trust", "cli/upgrade"}

// siblings keeps the families apart.
func siblings() (rows []dependency) {
	var all []string
	for _, f := range families {
		all = append(all, "module/"+f)
	}
	for _, f := range families {
		rows = append(rows, dependency{
			from: []string{f}, forbid: all, but: []string{"module/" + f},
			why: "what two families of commands need lies below both",
		})
	}
	return rows
}

func TestLawOfDependencies(t *testing.T) {
	hold(t, lawOfDependencies(append(dependencies, siblings()...)))
}

func lawOfDependencies(table []dependency) law {
	return func(tr *tree) (found []breach) {
		for _, d := range table {
			forbidden := func(path string) bool {
				return matchesAny(path, ofModule(d.forbid)) && !matchesAny(path, ofModule(d.but))
			}
			for _, p := range tr.named(d.from) {
				for _, way := range tr.ways(p, forbidden, d.except) {
					found = append(found, breach{tr.imported(way[0], way[1]), "brings " + written(way) + ": " + d.why})
				}
			}
		}
		return found
	}
}
