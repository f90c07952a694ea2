// Package status shows the state of an environment to people and programs. It has the field names of Juju
// 1.25, and what Juju hid: the target of an upgrade, its progress, what blocks it, the last error.
//
// Make is a pure function of the folded log. A status is therefore the same, byte for byte, whether the
// state server makes it or a client makes it from the log alone, now or for any moment in the past.
//
//	st := status.Make(state)
//	st, err := st.Filter([]string{"web", "machine-3"}) // keeps what the patterns name
//	err = status.Write(os.Stdout, "tabular", st, status.Options{})
//
// What is not known is shown as unknown. Text that came from a host or a person is escaped: none of it
// reaches a terminal as control characters.
package status
