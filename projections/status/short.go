package status

import (
	"bufio"
	"fmt"
	"slices"
	"strings"

	"github.com/jujube-project/jujube/projections/plain"
)

// writeOneline writes one line for each unit, as Juju does, then one for each machine, and one for the
// upgrade.
func writeOneline(out *bufio.Writer, st Status) {
	for _, s := range st.Services {
		for _, u := range s.Value.Units {
			fmt.Fprintf(out, "- %s: %s (agent:%s, workload:%s)\n", plain.Text(u.Name),
				plain.Text(u.Value.PublicAddress), plain.Text(u.Value.AgentStatus.Current), plain.Text(u.Value.WorkloadStatus.Current))
		}
	}
	for _, e := range st.Machines {
		m := e.Value
		fmt.Fprintf(out, "- machine-%s: %s (%s) %s", plain.Text(e.Name), plain.Text(m.DNSName), plain.Text(m.AgentState), plain.Text(m.AgentVersion))
		if m.AgentStateInfo != "" {
			fmt.Fprintf(out, ": %s", plain.Text(m.AgentStateInfo))
		}
		out.WriteByte('\n')
	}
	if u := st.Upgrade; u != nil {
		fmt.Fprintf(out, "- upgrade %s: %s to %s (%s) %d/%d\n",
			plain.Text(u.ID), plain.Text(u.From), plain.Text(u.Target), plain.Text(u.State), u.Progress.Done, u.Progress.Total)
	}
}

// writeSummary writes how many there are of everything. Source: the summary of Juju 1.25, without
// networks.
func writeSummary(out *bufio.Writer, st Status) {
	machines, versions, units := counts{}, counts{}, counts{}
	for _, m := range st.Machines {
		machines[m.Value.AgentState]++
		versions[m.Value.AgentVersion]++
	}
	for _, s := range st.Services {
		for _, u := range s.Value.Units {
			units[u.Value.WorkloadStatus.Current]++
		}
	}
	fmt.Fprintf(out, "Environment: %s at %s\n", plain.Text(st.Environment.Name), plain.Text(st.Environment.AgentVersion))
	if v := st.EnvironmentStatus.UpgradeAvailable; v != "" {
		fmt.Fprintf(out, "Upgrade available: %s\n", plain.Text(v))
	}
	for _, l := range st.EnvironmentStatus.LostSources {
		fmt.Fprintf(out, "Source of tools lost: %s; next: %s\n", plain.Text(l.Source), plain.Text(l.Next))
	}
	if t := st.EnvironmentStatus.Trust; t.State != "" && t.State != TrustFresh {
		fmt.Fprintf(out, "Trust: %s, of %s; next: juju trust status\n", t.State, t.Fresh)
	}
	if u := st.Upgrade; u != nil {
		fmt.Fprintf(out, "Upgrade: %s to %s, %s, %d of %d machines, %d in flight, %d failed\n",
			plain.Text(u.From), plain.Text(u.Target), plain.Text(u.State), u.Progress.Done, u.Progress.Total, u.Progress.InFlight, u.Progress.Failed)
	}
	fmt.Fprintf(out, "Machines: %d%s\n", len(st.Machines), machines)
	fmt.Fprintf(out, "Agent versions: %d%s\n", len(versions), versions)
	fmt.Fprintf(out, "Services: %d\n", len(st.Services))
	fmt.Fprintf(out, "Units: %d%s\n", units.sum(), units)
}

type counts map[string]int

func (c counts) sum() int {
	n := 0
	for _, v := range c {
		n += v
	}
	return n
}

// String lists the counts by name: " (down: 1, started: 3)".
func (c counts) String() string {
	if len(c) == 0 {
		return ""
	}
	parts := make([]string, 0, len(c))
	for name, n := range c {
		if name == "" {
			name = "none"
		}
		parts = append(parts, fmt.Sprintf("%s: %d", plain.Text(name), n))
	}
	slices.Sort(parts)
	return " (" + strings.Join(parts, ", ") + ")"
}
