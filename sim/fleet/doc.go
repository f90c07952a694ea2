// Package fleet is a simulated environment: one goroutine, one queue of events, one seed.
// It runs the code of the product that decides, and leaves out the code that only does what was
// decided:
//
//	agent.Step                        every machine's upgrade
//	trial.Decide, RolledBack, …       the judge of a trial
//	statesrv/decide                   what the state server decides: requests, reports, time, the plan
//	statesrv/writer                   its writer and fence
//	projections, rollout              fold and plan
//	bus/memlog                        the log
//
// Disk, processes, network and clocks are small models with faults. Processes are killed and hosts
// lose power between any two effects. Messages are lost, doubled, late and out of order.
// Acknowledgements get lost, and the outcome of an append is unknown. Two state servers believe
// that they lead. Releases are bad in many ways, clocks jump, disks fill up.
//
// What must always hold is checked after every event (check.go). At the end the faults stop, and
// every machine must come to the newest version.
//
// A run is a function of its Config. A failure names the seed, and the same seed gives the same run
// again. Not simulated are workloads, enrolment, and how tools come into the store.
package fleet
