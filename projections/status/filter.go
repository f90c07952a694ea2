package status

import (
	"fmt"
	"strings"

	"github.com/jujube-project/jujube/projections/glob"
)

// Filter keeps what the patterns name: services ("web"), units ("web/0") and machines ("3", "machine-3").
// In a pattern * stands for any text. The machine of a unit that is kept is kept too, and the units of a
// machine. Without patterns everything is kept. Filter returns an error for a pattern that can match no
// name.
func (s Status) Filter(patterns []string) (Status, error) {
	if len(patterns) == 0 {
		return s, nil
	}
	for _, p := range patterns {
		if p == "" || strings.Trim(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-/*") != "" {
			return Status{}, fmt.Errorf("pattern %q: a name has letters, digits, - and /; * stands for any text", p)
		}
	}
	machines := map[string]bool{} // those that a pattern names
	for _, m := range s.Machines {
		machines[m.Name] = matches(patterns, m.Name, "machine-"+m.Name)
	}
	services, needed := filterServices(s.Services, patterns, machines)
	out := s
	out.Services, out.Machines = services, Map[Machine]{}
	for _, m := range s.Machines {
		if machines[m.Name] || needed[m.Name] {
			out.Machines = append(out.Machines, m)
		}
	}
	return out, nil
}

// filterServices keeps the units that a pattern names and those on machines that a pattern names. needed
// are the machines of the units that a pattern names.
func filterServices(services Map[Service], patterns []string, machines map[string]bool) (kept Map[Service], needed map[string]bool) {
	kept, needed = Map[Service]{}, map[string]bool{}
	for _, svc := range services {
		units := Map[Unit]{}
		for _, u := range svc.Value.Units {
			named := matches(patterns, svc.Name, u.Name)
			if named || machines[u.Value.Machine] {
				units = append(units, u)
			}
			if named {
				needed[u.Value.Machine] = true
			}
		}
		if len(units) > 0 {
			svc.Value.Units = units
			kept = append(kept, svc)
		}
	}
	return kept, needed
}

func matches(patterns []string, names ...string) bool {
	for _, p := range patterns {
		for _, n := range names {
			if glob.Match(p, n) {
				return true
			}
		}
	}
	return false
}
