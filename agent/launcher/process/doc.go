// Package process starts the launcher's children and collects every process that ends below
// the launcher. The launcher is a child subreaper (PR_SET_CHILD_SUBREAPER), and may be
// process 1 of a container. So it also inherits the workloads of an agent that has ended: they
// live on, and the next agent adopts them.
package process
