// Package process starts the launcher's children and collects everything that ends below
// it: as a child subreaper, and as process 1 of a container, it also inherits the
// workloads of an agent that ended, which live on until the next agent adopts them.
package process
