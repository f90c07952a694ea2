package status

import (
	"bufio"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jujube-project/jujube/projections/plain"
)

// writeTabular writes the sections of Juju, and what Juju hid: the upgrade, and why the agent of a machine is
// in its state.
func writeTabular(out *bufio.Writer, st Status, o Options) {
	env := newTable("NAME", "AGENT-VERSION", "UPGRADE-AVAILABLE")
	env.add(st.Environment.Name, st.Environment.AgentVersion, st.EnvironmentStatus.UpgradeAvailable)
	env.write(out, "Environment")
	tabularUpgrade(out, st, o)
	tabularRequests(out, st, o)
	if lost := st.EnvironmentStatus.LostSources; len(lost) > 0 {
		sources := newTable("SOURCE", "STATE", "SINCE", "NEXT", "INFO")
		for _, l := range lost {
			sources.add(l.Source, "lost", o.time(l.Since), l.Next, l.Reason)
		}
		sources.write(out, "Tools")
	}

	if t := st.EnvironmentStatus.Trust; t.State != "" {
		trust := newTable("STATE", "ROOT", "TARGETS", "FRESH-UNTIL", "HOLDS-UNTIL")
		trust.add(t.State, fmt.Sprint(t.Root), fmt.Sprint(t.Targets), o.time(t.Fresh), o.time(t.Holds))
		trust.write(out, "Trust")
	}
	if len(st.Services) > 0 {
		services, units := newTable("NAME", "STATUS", "UNITS"),
			newTable("ID", "WORKLOAD-STATE", "AGENT-STATE", "VERSION", "MACHINE", "PUBLIC-ADDRESS", "MESSAGE")
		for _, s := range st.Services {
			services.add(s.Name, s.Value.ServiceStatus.Current, fmt.Sprint(len(s.Value.Units)))
			for _, u := range s.Value.Units {
				w, a := u.Value.WorkloadStatus, u.Value.AgentStatus
				units.add(u.Name, w.Current, a.Current, a.Version, u.Value.Machine, u.Value.PublicAddress, both(w.Message, a.Message))
			}
		}
		services.write(out, "Services")
		units.write(out, "Units")
	}

	machines := newTable("ID", "STATE", "VERSION", "DNS", "SERIES", "HARDWARE", "INFO")
	for _, e := range st.Machines {
		m := e.Value
		machines.add(e.Name, m.AgentState, m.AgentVersion, m.DNSName, m.Series, m.Hardware, m.AgentStateInfo)
	}
	machines.write(out, "Machines")
	if n := st.Log.Skipped; n > 0 {
		fmt.Fprintf(out, "\nRecords of the log that this juju cannot read (written by a newer release, or damaged): %d\n", n)
	}
	if n := st.Log.Disbelieved; n > 0 {
		fmt.Fprintf(out, "\nRecords of the log that nobody signed a cause for, and that change nothing (juju audit verify names them): %d\n", n)
	}
}

func both(a, b string) string {
	if a != "" && b != "" {
		return a + "; " + b
	}
	return a + b
}

func tabularUpgrade(out *bufio.Writer, st Status, o Options) {
	u := st.Upgrade
	if u == nil {
		return
	}
	t := newTable("ID", "FROM", "TARGET", "STATE", "DONE", "IN-FLIGHT", "FAILED", "OPERATOR", "STARTED")
	p := u.Progress
	t.add(u.ID, u.From, u.Target, u.State, fmt.Sprintf("%d/%d", p.Done, p.Total),
		fmt.Sprint(p.InFlight), fmt.Sprint(p.Failed), u.Operator, o.time(u.Started))
	t.write(out, "Upgrade")
	for _, b := range u.Blockers {
		fmt.Fprintf(out, "blocked: %s (%s)\n", plain.Text(b.Text), plain.Text(b.Code))
	}
	for _, w := range u.Waiting {
		fmt.Fprintf(out, "waiting: machine %s: %s\n", plain.Text(some(w.Machines)), plain.Text(w.Reason))
	}
	if u.LastError != "" {
		fmt.Fprintf(out, "last error: %s\n", plain.Text(u.LastError))
	}
}

// some lists the first few ids, and says how many more there are.
func some(ids []string) string {
	const shown = 10
	if len(ids) > shown {
		return fmt.Sprintf("%s and %d more", strings.Join(ids[:shown], ", "), len(ids)-shown)
	}
	return strings.Join(ids, ", ")
}

// table makes each column as wide as its longest cell, counted in characters.
type table struct {
	rows  [][]string
	width []int
}

func newTable(head ...string) *table {
	t := &table{width: make([]int, len(head))}
	t.add(head...)
	return t
}

func (t *table) add(cells ...string) {
	for i, c := range cells {
		cells[i] = plain.Text(c)
		t.width[i] = max(t.width[i], utf8.RuneCountInString(cells[i]))
	}
	t.rows = append(t.rows, cells)
}

func (t *table) write(out *bufio.Writer, title string) {
	if title != "Environment" {
		out.WriteByte('\n')
	}
	fmt.Fprintf(out, "[%s]\n", title)
	for _, row := range t.rows {
		last := len(row) - 1
		for last > 0 && row[last] == "" {
			last--
		}
		for i, c := range row[:last+1] {
			out.WriteString(c)
			if i < last {
				pad(out, t.width[i]-utf8.RuneCountInString(c)+2)
			}
		}
		out.WriteByte('\n')
	}
}

func pad(out *bufio.Writer, n int) {
	for range n {
		out.WriteByte(' ')
	}
}
